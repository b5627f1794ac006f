"""How often the passage that answers is among those that retrieval shows, on the rows of a run.

    python -m benchmarks.recall [--split validation] [--top-k 3]

Reads data/splits, data/index and data/models/embedder, as the last run left them, with the settings of
params.yaml. Prints the recall for each kind of question, for wordings like those of training and those that
are held out, and for follow-ups; the last line is one JSON object.
"""

import argparse
import json
import sys
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import get_args

from deploy.errors import ThreeplyError
from tasks.prepare.split import SplitName
from tasks.rows.grounding import composer, found
from tasks.rows.records import Example
from tasks.rows.tables import read_table
from tasks.settings import load_settings

DATA = Path("data")


def main() -> int:
    """Print the recall; exit 1 if there is no run to read."""
    words = argparse.ArgumentParser(prog="python -m benchmarks.recall", description=__doc__)
    words.add_argument("--split", choices=get_args(SplitName), default="validation")
    words.add_argument("--top-k", type=int, help="passages shown; else as params.yaml has it")
    given = words.parse_args()
    try:
        settings = load_settings(Path("params.yaml"))
        retrieval = settings.retrieval
        if given.top_k:
            retrieval = retrieval.model_copy(update={"top_k": given.top_k})
        assistant = composer(
            DATA / "index",
            DATA / "models/embedder",
            retrieval=retrieval,
            prompt=settings.prompt,
            generation=settings.generation,
        )
        rows = read_table(DATA / "splits" / given.split / "examples.parquet", Example)
        asked = [row for row in rows if row.answerable and row.evidence]
        shares = recall(asked, found(asked, assistant))
    except ThreeplyError as error:
        print(error, file=sys.stderr)
        return 1
    print("\n".join(f"{name:<32} {share:.3f} of {count}" for name, (share, count) in shares.items()))
    print(json.dumps({"split": given.split, "top_k": retrieval.top_k, "recall": shares}))
    return 0


def recall(rows: Sequence[Example], answered: Sequence[bool]) -> dict[str, tuple[float, int]]:
    """The share of rows whose passage was found, with their number: all of them, and each part."""
    parts: dict[str, list[bool]] = defaultdict(list)
    for row, there in zip(rows, answered, strict=True):
        follows = ["follow-ups"] if sum(turn.role == "user" for turn in row.prompt) > 1 else []
        for name in ("all", row.held_out or "like training", *follows, f"kind {row.task}"):
            parts[name].append(there)
    return {name: (round(sum(each) / len(each), 4), len(each)) for name, each in sorted(parts.items())}


if __name__ == "__main__":
    raise SystemExit(main())

"""How many of the texts of a list that others have made hold an order to a model, as `clean` judges them.

    python -m benchmarks.injection.lists injections.jsonl

The file has a line of JSON with a `text` and a `label` (`malicious` or not) each, or is one JSON list of
texts. Halves are by the hash of the text: rules were developed on the first, and tested once on the second.
"""

import argparse
import hashlib
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

from tasks.prepare.clean.orders import order
from tasks.prepare.clean_settings import OrderRule


def main() -> int:
    """Print, by label and half, in how many texts an order was found."""
    words = argparse.ArgumentParser(prog="python -m benchmarks.injection.lists", description=__doc__)
    words.add_argument("file", type=Path)
    counts: Counter[tuple[str, int, bool]] = Counter()
    for text, label in _texts(words.parse_args().file):
        half = int(hashlib.sha256(text.encode()).hexdigest(), 16) % 2
        counts[label, half, order(text, frozenset(get_args(OrderRule))) is not None] += 1
    for label, half in sorted({(label, half) for label, half, _ in counts}):
        found, missed = counts[label, half, True], counts[label, half, False]
        print(f"{label}, half {half + 1}: {found} of {found + missed}")
    return 0


def _texts(path: Path) -> Iterator[tuple[str, str]]:
    told = path.read_text(encoding="utf-8")
    if path.suffix == ".json":
        yield from ((text, "texts") for text in json.loads(told))
    else:
        yield from ((row["text"], row["label"]) for row in map(json.loads, told.splitlines()))


if __name__ == "__main__":
    raise SystemExit(main())

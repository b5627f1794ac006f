"""What other settings of fine-tuning bring over the model of the last run, on the same questions.

    python -m benchmarks.tuning --with max_rows=1600 [--with lora.rank=32 epochs=2] [--questions 400]

Each `--with` is a model: those settings of `sft`, all others as in params.yaml, trained on the rows of the
last run in build/tuning and calibrated, once. Then it and the run's own are asked the same questions of the
validation split, as they are served (`--split test` for figures to be quoted: decide by the others). The last
line is one JSON object.
"""

import argparse
import json
import shlex
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from benchmarks.algorithms.measuring import Row, measured
from benchmarks.places import DATA, calibrate_once, folder_name, params_with, train_once
from benchmarks.seeds import signed_interval
from deploy.errors import ThreeplyError
from deploy.files import sha256_of
from tasks.evaluation.markdown import markdown_table
from tasks.machine.progress import duration
from tasks.pages.numbers import DASH, decimals, percent
from tasks.settings import load_settings

PLACES = Path("build/tuning")


def main() -> int:
    """Train what has not been trained, measure all, print the table; exit 1 if something is missing."""
    words = argparse.ArgumentParser(prog="python -m benchmarks.tuning", description=__doc__)
    words.add_argument(
        "--with", action="append", required=True, nargs="+", metavar="KEY=VALUE", dest="variants"
    )
    words.add_argument("--questions", type=int, default=400, help="that each model is asked (400)")
    words.add_argument("--split", choices=("validation", "test"), default="validation")
    given = words.parse_args()
    try:
        settings = load_settings(Path("params.yaml"))
        # All of them first: a wrong one is not to be found after half an hour of training another.
        params = [params_with(Path("params.yaml"), "sft", each)[0] for each in given.variants]
        places = {
            " ".join(each): [trained(Path(), each, own)]
            for each, own in zip(given.variants, params, strict=True)
        }
        rows = measured(places, settings, count=given.questions, split=given.split)
    except ThreeplyError as error:
        print(error, file=sys.stderr)
        return 1
    print(table(rows, questions=given.questions, split=given.split, words=sys.argv[1:]))
    print(json.dumps({name: asdict(row) for name, row in rows.items()}))
    return 0


def trained(project: Path, words: Sequence[str], params: str) -> Path:
    """The place, named after `words`, where a model has been trained under `params`, and calibrated.

    Raises:
        ThreeplyError: there is no finished run, or a stage has failed (it has told why).
    """
    data = project.resolve() / DATA
    weights = data / "models" / "sft" / "adapter_model.safetensors"
    if not weights.is_file():
        raise ThreeplyError(f"{weights} is not there; threeply run --until calibrate makes it")
    place = project.resolve() / PLACES / folder_name(words)
    rows, models, index = data / "splits", data / "models", data / "index"
    train_once(
        project,
        place,
        params=params,
        start=sha256_of(weights),
        stage="sft",
        inputs=[rows, models / "base", models / "retriever", index, data / "search"],
        outputs={"adapter": "adapter", "curve": "curve.csv", "report": "report.json"},
    )
    calibrate_once(place, [rows, models / "base", models / "retriever", index, models / "sft"])
    return place


def table(rows: Mapping[str, Row], *, questions: int, split: str, words: Sequence[str] = ()) -> str:
    """The rows as Markdown; `words` are those of the command line that made them."""
    head = ["score", "over the run's", "abstains rightly", "wrongly", "retention", "time"]
    lines = {
        ("the run's" if row.difference is None else name): [
            decimals(row.score.mean),
            signed_interval(row.difference),
            percent(row.abstains_rightly),
            percent(row.abstains_wrongly),
            percent(row.retention),
            duration(row.seconds) if row.seconds is not None else DASH,
        ]
        for name, row in rows.items()
    }
    return "\n".join(
        [
            "",
            *markdown_table(head, lines),
            "",
            f"{questions} questions of the {split} split, the same for all; one seed; paired, 95 %.",
            "",
            f"*`{shlex.join(['python', '-m', 'benchmarks.tuning', *words])}`.*",
            "",
        ]
    )


if __name__ == "__main__":
    raise SystemExit(main())

"""How well the rule for abstaining finds what a reader takes for it: precision and recall by arm.

    python -m benchmarks.abstention [--errors]
    python -m benchmarks.abstention --draw 200 > to_label.jsonl

The labelled answers lie beside this file. `--draw` prints answers of the last run for labelling. The last
line is one JSON object.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.abstention.labelled import Agreement, Labelled, agreement, drawn, read_labelled
from deploy.abstention import abstains
from deploy.errors import ThreeplyError
from tasks.evaluation.answers import read_answers

LAST_RUN = Path("data/reports/answers.jsonl")


def main() -> int:
    """Print the agreement, or answers to label; exit 1 if there are none."""
    words = argparse.ArgumentParser(prog="python -m benchmarks.abstention", description=__doc__)
    words.add_argument("--errors", action="store_true", help="also print what the rule takes for the other")
    words.add_argument("--draw", type=int, metavar="N", help="print N answers of the last run to label")
    given = words.parse_args()
    try:
        if given.draw:
            rows = drawn(read_answers(LAST_RUN), given.draw, seed=1)
            print("\n".join(json.dumps(row, ensure_ascii=False) for row in rows))
            return 0
        labelled = read_labelled()
    except ThreeplyError as error:
        print(error, file=sys.stderr)
        return 1
    if given.errors:
        print("\n".join(errors(labelled)))
    print(table(labelled))
    print(json.dumps({arm: figures(found) for arm, found in by_arm(labelled).items()}))
    return 0


def by_arm(labelled: Sequence[Labelled]) -> dict[str, Agreement]:
    """The agreement on the answers of each arm, and on all."""
    arms = dict.fromkeys(row.arm for row in labelled)
    found = {arm: agreement([row for row in labelled if row.arm == arm], abstains) for arm in arms}
    return {**found, "all": agreement(labelled, abstains)}


def figures(found: Agreement) -> dict[str, float | None]:
    """The agreement as numbers."""
    return {
        "n": found.n,
        "abstentions": found.positives,
        "precision": None if found.precision is None else round(found.precision, 3),
        "recall": None if found.recall is None else round(found.recall, 3),
    }


def table(labelled: Sequence[Labelled]) -> str:
    """One line an arm, and all."""
    lines = [f"{'arm':<16} answers abstentions precision recall"]
    for arm, found in by_arm(labelled).items():
        shares = [f"{share:.2f}" if share is not None else "-" for share in (found.precision, found.recall)]
        lines.append(f"{arm:<16} {found.n:>7} {found.positives:>11} {shares[0]:>9} {shares[1]:>6}")
    return "\n".join(lines)


def errors(labelled: Sequence[Labelled]) -> list[str]:
    """What the rule takes for an abstention and the reader does not (+), and the other way round (-)."""
    return [
        f"{'-' if row.abstains else '+'} {row.arm}: {row.question} | {' '.join(row.answer.split())}"
        for row in labelled
        if abstains(row.answer) != row.abstains
    ]


if __name__ == "__main__":
    raise SystemExit(main())

"""How well `deploy.abstention.abstains` agrees with labels given by hand, without a model.

    python -m benchmarks.abstention [--part final]

`tuning` is the half to look at while the patterns are changed; `final` is looked at once, at the end. Prints
each mistake, then precision and recall of abstentions with their 95 % intervals, for all answers and for the
plain random sample among them, and the counts of each arm; the last line is one JSON object.
"""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, get_args

from pydantic import BaseModel, ConfigDict

from deploy.abstention import abstains

ANSWERS = Path(__file__).parent / "answers.jsonl"

Part = Literal["tuning", "final"]


class Labelled(BaseModel):
    """An answer, the arm that gave it, and whether a reader takes it for an abstention."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    id: str
    arm: str
    question: str
    answer: str
    abstains: bool
    part: Part
    sample: Literal["random", "hard"]

    @property
    def right(self) -> bool:
        """Whether the detector says what the label says."""
        return abstains(self.answer) == self.abstains


def main() -> int:
    """Judge the answers of one part."""
    words = argparse.ArgumentParser(prog="python -m benchmarks.abstention", description=__doc__)
    words.add_argument("--part", choices=get_args(Part), default="tuning")
    given = words.parse_args()
    told = summary(answers := read_answers(given.part))
    print("\n".join([*mistakes(answers), "", table(told)]))
    print(json.dumps({"part": given.part, **told}))
    return 0


def read_answers(part: Part | None = None, path: Path = ANSWERS) -> list[Labelled]:
    """The labelled answers of one part in the order of the file; without `part`, all of them."""
    lines = path.read_text(encoding="utf-8").splitlines()
    answers = [Labelled.model_validate_json(line) for line in lines]
    return [answer for answer in answers if part in {None, answer.part}]


def mistakes(answers: Sequence[Labelled]) -> list[str]:
    """Three lines for each answer about which detector and label differ."""
    lines = []
    for one in answers:
        if not one.right:
            lines.append(f"{one.id} {one.arm} ({'missed' if one.abstains else 'no abstention'})")
            lines.append(f"  > {one.question}")
            lines.append(f"  < {' '.join(one.answer.split())}")
    return lines


def table(told: dict[str, Any]) -> str:
    """Precision and recall in a line each, and one line an arm."""
    lines = []
    for name, counts in (("all", told["all"]), ("random", told["random"])):
        for measure in ("precision", "recall"):
            lines.append(f"{name:<8} {measure:<10} {_share(counts[measure])}")
    lines += ["", f"{'arm':<16} answers abstain found wrongly"]
    for arm, counts in told["by_arm"].items():
        figures = (counts["answers"], counts["abstain"], counts["found"], counts["wrongly"])
        lines.append(f"{arm:<16} {figures[0]:>7} {figures[1]:>7} {figures[2]:>5} {figures[3]:>7}")
    return "\n".join(lines)


def summary(answers: Sequence[Labelled]) -> dict[str, Any]:
    """The figures as one JSON object: of all answers, of the random sample, and of each arm.

    Of each group it gives how many `answers` there are, how many of them `abstain` by their label, how many of
    those were `found`, and how many others were `wrongly` taken for abstentions. Of the first two also
    `precision` and `recall`, each as `share`, `low` and `high` (Wilson's 95 % interval; None of nothing).
    """
    arms = sorted({one.arm for one in answers})
    return {
        "all": _measured(answers),
        "random": _measured([one for one in answers if one.sample == "random"]),
        "by_arm": {arm: _counts([one for one in answers if one.arm == arm]) for arm in arms},
    }


def _measured(answers: Sequence[Labelled]) -> dict[str, Any]:
    counts = _counts(answers)
    found = counts["found"]
    return {
        **counts,
        "precision": _interval(found, found + counts["wrongly"]),
        "recall": _interval(found, counts["abstain"]),
    }


def _counts(answers: Sequence[Labelled]) -> dict[str, int]:
    return {
        "answers": len(answers),
        "abstain": sum(one.abstains for one in answers),
        "found": sum(one.abstains and one.right for one in answers),
        "wrongly": sum(not one.abstains and not one.right for one in answers),
    }


def _interval(right: int, of: int) -> dict[str, float | int | None]:
    """`right` of `of` as a share with its interval."""
    if not of:
        return {"of": 0, "share": None, "low": None, "high": None}
    from scipy.stats import binomtest

    bounds = binomtest(right, of).proportion_ci(method="wilson")
    low, high = round(float(bounds.low), 3), round(float(bounds.high), 3)
    return {"of": of, "share": round(right / of, 3), "low": low, "high": high}


def _share(told: dict[str, float | int | None]) -> str:
    """The share with its interval, as a person reads it."""
    if told["share"] is None:
        return "none"
    bounds = f"95 % interval {told['low']:.3f} to {told['high']:.3f}"
    return f"{told['share']:.3f} of {told['of']} ({bounds})"


if __name__ == "__main__":
    raise SystemExit(main())

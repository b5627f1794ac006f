"""How many questions in people's own words a bundle answers rightly, asked one by one as they are served.

    python -m benchmarks.own_words [--bundle data/bundle] [--model auto] [--part tuning]

`tuning` is the half to look at while something is changed; `final` is looked at once, at the end. Prints each
wrong answer and whether a passage of its callable was among the sources, then how many were right of each
kind; the last line is one JSON object.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from benchmarks.own_words.judging import right
from benchmarks.own_words.questions import Kind, Part, Question, read_questions
from deploy.abstention import ABSTENTION
from deploy.answer import Answer, Layers
from deploy.assistant import Assistant
from deploy.bundle import load_verified, verify_bundle
from deploy.errors import ThreeplyError
from deploy.server.run import default_model


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A question, its answer, whether that is right, and whether a passage of `about` was shown."""

    question: Question
    text: str
    right: bool
    found: bool


def main() -> int:
    """Ask one half of the questions; exit 1 if there is no such bundle or model."""
    words = argparse.ArgumentParser(prog="python -m benchmarks.own_words", description=__doc__)
    words.add_argument("--bundle", type=Path, default=Path("data/bundle"), metavar="DIR")
    words.add_argument("--model", default="auto", help="base, sft or rlhf; auto: the one that is served")
    words.add_argument("--part", choices=get_args(Part), default="tuning")
    given = words.parse_args()
    try:
        manifest = verify_bundle(given.bundle)
        model = default_model(given.model, manifest)
        assistant = load_verified(given.bundle, manifest)
        judged = ask(assistant, read_questions(given.part), model)
    except ThreeplyError as error:
        print(error, file=sys.stderr)
        return 1
    told = summary(judged, part=given.part, model=model)
    print("\n".join([*wrong(judged), "", table(judged, told)]))
    print(json.dumps(told))
    return 0


def ask(assistant: Assistant, questions: Sequence[Question], model: str) -> list[Judged]:
    """Each question with its answer, judged."""
    judged = []
    for question in questions:
        [answer] = assistant.answer([question.messages], model=model, layers=Layers())
        judged.append(judge(question, answer))
    return judged


def judge(question: Question, answer: Answer) -> Judged:
    """`question` with `answer`. Where it compares, the passages of all its callables have to be there."""
    titles = {source.title for source in answer.sources}
    there = [name in titles for name in question.about]
    found = all(there) if question.kind == "compare" else any(there)
    return Judged(question=question, text=answer.text, right=right(question, answer.text), found=found)


def wrong(judged: Sequence[Judged]) -> list[str]:
    """Three lines for each question that was answered wrongly."""
    lines = []
    for one in judged:
        if one.right:
            continue
        about = one.question.about
        source = f"{about[0]} {'found' if one.found else 'not found'}" if about else "no passage"
        lines.append(f"{one.question.id} {one.question.kind} ({source})")
        lines.append(f"  > {one.question.asked}")
        lines.append(f"  < {' '.join(one.text.split())}")
    return lines


def table(judged: Sequence[Judged], told: dict[str, Any]) -> str:
    """One line a kind, and the total with its interval."""
    lines = [f"{'kind':<10} right asked"]
    for kind, counts in told["by_kind"].items():
        lines.append(f"{kind:<10} {counts['right']:>5} {counts['questions']:>5}")
    low, high = told["interval"]
    share = f"{told['right'] / len(judged):.3f} (95 % interval {low:.3f} to {high:.3f})"
    return "\n".join([*lines, f"{'all':<10} {told['right']:>5} {len(judged):>5}   {share}"])


def summary(judged: Sequence[Judged], *, part: Part, model: str) -> dict[str, Any]:
    """The figures as one JSON object.

    `found` is the share of the answerable questions of which a passage of `about` was shown to the model;
    `interval` is Wilson's for the share of right answers; `follow_ups` are those with earlier turns;
    `abstaining` is how many would be right if every answer said that the documentation does not say.
    """
    from scipy.stats import binomtest

    answerable = [one.found for one in judged if one.question.answerable]
    total = _count(judged)
    interval = binomtest(total["right"], len(judged)).proportion_ci(method="wilson")
    by_kind = {kind: [one for one in judged if one.question.kind == kind] for kind in get_args(Kind)}
    return {
        "part": part,
        "model": model,
        **total,
        "by_kind": {kind: _count(some) for kind, some in by_kind.items() if some},
        "found": round(sum(answerable) / len(answerable), 3) if answerable else None,
        "interval": [round(float(interval.low), 3), round(float(interval.high), 3)],
        "follow_ups": _count([one for one in judged if len(one.question.messages) > 1]),
        "abstaining": sum(right(one.question, ABSTENTION) for one in judged),
    }


def _count(judged: Sequence[Judged]) -> dict[str, int]:
    return {"right": sum(one.right for one in judged), "questions": len(judged)}


if __name__ == "__main__":
    raise SystemExit(main())

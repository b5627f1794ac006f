"""Synthetic preferences: the good answer to a question beside one with a known flaw.

They judge correctness, not taste. A flaw must not show in anything but the content, so the kinds are
balanced: the two flaws about abstaining are equally frequent, and where a wrong value is chosen, longer and
shorter ones take turns.
"""

import ast
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from deploy.abstention import ABSTENTION
from tasks.prepare.collect.documentation.facts import Fact
from tasks.prepare.collect.documentation.questions import Question, QuestionKind
from tasks.prepare.collect.identifiers import identifier, rank
from tasks.rows.records import Example, Preference

# What is wrong in an answer to a question of each kind that says something else.
_FLAW: Mapping[QuestionKind, str] = {
    "default": "wrong_value",
    "purpose": "wrong_purpose",
    "none": "wrong_purpose",
    "lookup": "wrong_function",
}
_CANDIDATES = 12


def contrasts(
    asked: Sequence[tuple[Question, Example]], found: Sequence[Fact], count: int, *, seed: int
) -> list[Preference]:
    """At most `count` pairs: a third abstain wrongly, a third invent, a third are wrong in what they say."""
    ordered = sorted(asked, key=lambda pair: rank(seed, "contrast", pair[1].id))
    answerable = [pair for pair in ordered if pair[0].standing == "answerable"]
    unanswerable = [pair for pair in ordered if pair[0].standing != "answerable"]
    third = min(count // 3, len(unanswerable), len(answerable) // 2)
    pool = _Pool(found, seed)
    pairs = [
        _preference(example, question.answer, ABSTENTION, "false_abstention")
        for question, example in answerable[:third]
    ]
    pairs += [
        _preference(example, ABSTENTION, question.says, "invented")
        for question, example in unanswerable[:third]
    ]
    for question, example in answerable[third:]:
        if len(pairs) >= count - 2 * (count // 3 - third):
            break
        if question.kind in _FLAW and (wrong := pool.wrong_answer(question)):
            pairs.append(_preference(example, question.answer, wrong, _FLAW[question.kind]))
    return pairs


def baselines(pairs: Sequence[Preference]) -> Mapping[str, Any]:
    """What rules that do not read would score on `pairs`; a tie counts half."""
    if not pairs:
        return {}
    longer = [_half(len(pair.chosen) - len(pair.rejected)) for pair in pairs]
    abstain = [_half((pair.chosen == ABSTENTION) - (pair.rejected == ABSTENTION)) for pair in pairs]
    flaws = Counter(pair.flaw for pair in pairs)
    return {
        "flaws": dict(sorted(flaws.items())),
        "largest_flaw": round(max(flaws.values()) / len(pairs), 4),
        "longer_wins": round(sum(longer) / len(pairs), 4),
        "abstention_wins": round(sum(abstain) / len(pairs), 4),
    }


def _half(difference: int) -> float:
    return 0.5 if difference == 0 else float(difference > 0)


def _preference(example: Example, chosen: str, rejected: str, flaw: str) -> Preference:
    name = identifier("packages", example.id, chosen, rejected)
    return Preference.between(
        example, chosen, rejected, name=name, source=example.source, label="synthetic", flaw=flaw
    )


class _Pool:
    """The facts that wrong answers are taken from, by callable, module and package."""

    def __init__(self, found: Sequence[Fact], seed: int) -> None:
        self._seed = seed
        self._facts: dict[tuple[str, str], list[Fact]] = defaultdict(list)
        for fact in found:
            module = fact.owner.name.rpartition(".")[0]
            # A callable is never a module of itself, so names of both may share one table.
            for place in dict.fromkeys((fact.owner.name, module, fact.owner.package)):
                self._facts[fact.kind, place].append(fact)

    def wrong_answer(self, question: Question) -> str:
        """An answer that is wrong but likely: of the same callable, else its module, else its package."""
        name = question.fact.owner.name
        for place in (name, name.rpartition(".")[0], question.fact.owner.package):
            facts = self._facts[question.fact.kind, place]
            start = rank(self._seed, "wrong", question.key) % max(1, len(facts))
            turned = (facts[start:] + facts[:start])[: _CANDIDATES * 4]
            answers = [said for fact in turned if (said := self._said(fact, question)) != question.answer]
            if answers := answers[:_CANDIDATES]:
                return self._fitting(answers, question)
        return ""

    def _said(self, fact: Fact, question: Question) -> str:
        if question.fact.kind == "lookup":
            return f"`{fact.owner.name}`" if fact.owner.kind == question.fact.owner.kind else question.answer
        if question.fact.kind in ("purpose", "none"):
            return fact.value
        alike = _format(fact.value) == _format(question.fact.value) and not _equal(
            fact.value, question.fact.value
        )
        return f"`{fact.value}`" if alike else question.answer

    def _fitting(self, answers: Sequence[str], question: Question) -> str:
        """The first answer on the side, longer or shorter, whose turn it is; else the first."""
        side = 1 if rank(self._seed, "side", question.key) % 2 else -1
        sided = [answer for answer in answers if (len(answer) - len(question.answer)) * side > 0]
        return (sided or answers)[0]


def _format(value: str) -> str:
    """The kind of value: a wrong one must look like a right one."""
    try:
        kind = type(ast.literal_eval(value))
    except (ValueError, SyntaxError):
        return "name"
    # None, True and False stand for each other: no other value has their look.
    return "word" if kind in (bool, type(None)) else "number" if kind in (int, float) else kind.__name__


def _equal(one: str, other: str) -> bool:
    """Whether two values are the same to Python: 0 and 0.0 are."""
    try:
        return bool(ast.literal_eval(one) == ast.literal_eval(other))
    except (ValueError, SyntaxError):
        return one == other

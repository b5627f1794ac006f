"""Counterfactual rows: a question once with its evidence and once without, so that only the evidence differs.

A model that sees an answer and an abstention to one question learns what makes the difference (Kaushik,
Hovy and Lipton 2020, arXiv:1909.12434). It also teaches abstaining from data in which every question has
an answer.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

from deploy.abstention import ABSTENTION, abstains
from deploy.messages import Message
from tasks.rows.records import Example, Preference
from tasks.rows.sampling import stratified

SUFFIX = "-without"
RowT = TypeVar("RowT", Example, Preference)


def counterfactuals(examples: Sequence[Example], shares: Mapping[str, float], *, seed: int) -> list[Example]:
    """For a share of the answerable examples of each task, the same question with its evidence withheld."""
    fitting = [example for example in examples if example.answerable and example.evidence]
    return [without_evidence(example) for example in _drawn(fitting, shares, seed)]


def without_evidence(example: Example) -> Example:
    """The example with its evidence hidden from retrieval: the good answer is then to abstain."""
    return replace(
        example,
        id=f"{example.id}{SUFFIX}",
        messages=(*example.prompt, Message("assistant", ABSTENTION)),
        evidence=(),
        quote="",
        withheld=(*example.withheld, *example.evidence),
        answerable=False,
    )


def counterfactual_preferences(
    preferences: Sequence[Preference], shares: Mapping[str, float], *, seed: int
) -> list[Preference]:
    """For a share of the wrong abstentions of each task, the same two answers without the evidence.

    Abstaining then wins.
    """
    fitting = [p for p in preferences if p.evidence and abstains(p.rejected) and not abstains(p.chosen)]
    return [
        replace(
            row,
            id=f"{row.id}{SUFFIX}",
            chosen=row.rejected,
            rejected=row.chosen,
            flaw="invented",
            evidence=(),
            quote="",
            withheld=(*row.withheld, *row.evidence),
        )
        for row in _drawn(fitting, shares, seed)
    ]


def twin_groups(ids: Sequence[str]) -> list[list[int]]:
    """The places of `ids` in groups: a row and its counterfactual together, every other row alone."""
    places = {name: place for place, name in enumerate(ids)}
    groups: list[list[int]] = []
    for name, place in places.items():
        if name.endswith(SUFFIX) and name.removesuffix(SUFFIX) in places:
            continue
        twin = places.get(f"{name}{SUFFIX}")
        groups.append([place] if twin is None else [place, twin])
    return groups


def _drawn(rows: Sequence[RowT], shares: Mapping[str, float], seed: int) -> list[RowT]:
    """Of each task its share of `rows`."""
    drawn: list[RowT] = []
    for task, share in sorted(shares.items()):
        fitting = [row for row in rows if row.task == task]
        drawn += stratified(fitting, round(share * len(fitting)), key=lambda row: row.task, seed=seed)
    return drawn

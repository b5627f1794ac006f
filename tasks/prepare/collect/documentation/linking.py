"""Questions that come second: they leave out what the turn before them has said."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from typing import get_args

from tasks.prepare.collect.documentation.facts import Fact, FactKind
from tasks.prepare.collect.documentation.questions import ABOUT, Link, Question
from tasks.prepare.collect.documentation.wording import turns
from tasks.prepare.collect.identifiers import rank

FRAMES = {
    "other parameter": turns.OTHER_PARAMETER,
    "same parameter": turns.SAME_PARAMETER,
    "found": turns.FOUND,
}


class Linking:
    """Turns questions into follow-ups, by the facts that there are about the same callable."""

    def __init__(self, found: Sequence[Fact], *, seed: int) -> None:
        self._seed = seed
        self._facts: dict[tuple[str, FactKind], list[Fact]] = defaultdict(list)
        for fact in found:
            self._facts[fact.owner.name, fact.kind].append(fact)

    def linked(self, questions: Sequence[Question], share: float) -> list[Question]:
        """The questions in their order, a share of them as follow-ups where a turn before them can be found.

        Which ones does not depend on whether they have an answer.
        """
        return [
            self._linked(question)
            if rank(self._seed, "follow-up", question.key) % 2**16 < share * 2**16
            else question
            for question in questions
        ]

    def _linked(self, question: Question) -> Question:
        links: list[Link] = [
            link for link in get_args(Link) if question.kind in FRAMES[link] and self._before(question, link)
        ]
        if not links:
            return question
        link = links[rank(self._seed, "link", question.key) % len(links)]
        return replace(question, before=self._before(question, link), link=link)

    def _before(self, question: Question, link: Link) -> Question | None:
        """What was asked before; its answer is known, so it is a fact of the callable itself."""
        owner, parameter = question.fact.owner.name, question.fact.parameter
        match link:
            case "other parameter":
                pool = [
                    fact for fact in self._facts[owner, ABOUT[question.kind]] if fact.parameter != parameter
                ]
                kind = question.kind
            case "same parameter":
                kind = "default" if question.kind == "purpose" else "purpose"
                pool = [fact for fact in self._facts[owner, ABOUT[kind]] if fact.parameter == parameter]
            case "found":
                kind = "lookup"
                pool = self._facts[owner, "lookup"]
        if not pool:
            return None
        fact = pool[rank(self._seed, "before", question.key) % len(pool)]
        return Question(kind=kind, fact=fact)

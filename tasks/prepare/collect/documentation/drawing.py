"""Which facts become questions: evenly over callables, no answer too often, an exact share unanswerable."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import zip_longest

from tasks.prepare.collect.documentation.callables import PublicCallable
from tasks.prepare.collect.documentation.facts import Fact, FactKind, lacks
from tasks.prepare.collect.documentation.partners import Partners
from tasks.prepare.collect.documentation.questions import (
    ABOUT,
    CAN_BE_ABSENT,
    CAN_BE_WITHHELD,
    KINDS,
    Question,
    QuestionKind,
)
from tasks.prepare.collect.identifiers import rank
from tasks.prepare.collect_settings import PackagesSource

_TRIES = 24  # names tried on a callable before it is taken to have none that it lacks
_TURNS = 8  # times that each callable is asked for something that it lacks


class Drawing:
    """Draws questions about the facts that were found."""

    def __init__(
        self,
        found: Sequence[Fact],
        entries: Sequence[PublicCallable],
        partners: Partners,
        settings: PackagesSource,
        *,
        seed: int,
    ) -> None:
        self._entries, self._partners, self._settings, self._seed = entries, partners, settings, seed
        self._facts: dict[FactKind, list[Fact]] = defaultdict(list)
        for fact in found:
            self._facts[fact.kind].append(fact)
        self._beside = {(one.owner.name, one.parameter): other for one, other in partners.compared}

    def draw(self) -> list[Question]:
        """At most `max_facts` questions; the share of unanswerable ones holds also where facts are few.

        The same fact is never asked twice in one kind, so no question has both an answer and an abstention.
        """
        share = self._settings.unanswerable
        unanswerable = round(self._settings.max_facts * share)
        answered = self._answerable(self._settings.max_facts - unanswerable, KINDS)
        if share < 1.0:
            unanswerable = round(len(answered) * share / (1.0 - share))
        taken = {question.key for question in answered}
        withheld = [
            replace(question, standing="withheld")
            for question in self._answerable(unanswerable // 2, CAN_BE_WITHHELD, taken=taken)
        ]
        return [*answered, *withheld, *self._absent(unanswerable - len(withheld))]

    def _answerable(
        self, count: int, kinds: Sequence[QuestionKind], *, taken: Collection[str] = ()
    ) -> list[Question]:
        """`count` questions of the kinds, by their weights, that are not `taken`."""
        questions: list[Question] = []
        for kind, wanted in apportioned(count, self._weights(kinds)).items():
            possible = {
                question.key: question
                for fact in self._facts[ABOUT[kind]]
                if (question := self._about(fact, kind)) is not None and question.key not in taken
            }
            facts = [question.fact for question in possible.values()]
            most = self._settings.max_same_default if ABOUT[kind] == "default" else 1.0
            drawn = evenly(facts, wanted, max_same=most, seed=self._seed)
            questions += [possible[Question(kind=kind, fact=fact).key] for fact in drawn]
        return questions

    def _about(self, fact: Fact, kind: QuestionKind) -> Question | None:
        """The question of a kind about a fact; None where there is none."""
        match kind:
            case "compare":
                beside = self._beside.get((fact.owner.name, fact.parameter))
                return Question(kind=kind, fact=fact, beside=beside) if beside is not None else None
            case "which":
                others = self._partners.without(fact, 2)
                return Question(kind=kind, fact=fact, others=others) if others else None
            case "confirm":
                return Question(kind=kind, fact=fact, stated=self._stated(fact))
            case _:
                return Question(kind=kind, fact=fact)

    def _stated(self, fact: Fact) -> str:
        """The value that is asked about: the right one half the time, else that of another parameter."""
        if fact.value in ("True", "False"):
            return "True"  # `is it on?`
        pool = self._facts["default"]
        chosen = rank(self._seed, "stated", fact.owner.name, fact.parameter)
        other = pool[chosen // 2 % len(pool)].value
        return fact.value if chosen % 2 or other in ("True", "False") else other

    def _absent(self, count: int) -> list[Question]:
        """Questions for parameters of other callables, half of them of the same module (the hard ones)."""
        pools: dict[tuple[FactKind, str], list[Fact]] = defaultdict(list)
        for fact in (fact for facts in self._facts.values() for fact in facts if fact.parameter):
            pools[fact.kind, fact.owner.package].append(fact)
            pools[fact.kind, _module(fact.owner)].append(fact)
        weights = self._weights(CAN_BE_ABSENT)
        owners = sorted(
            (entry for entry in self._entries if entry.arguments),
            key=lambda entry: rank(self._seed, "absent", entry.name),
        )
        questions: dict[str, Question] = {}
        for turn in range(_TURNS):
            for owner in owners:
                if len(questions) >= count:
                    return list(questions.values())
                kind = weighted(weights, rank(self._seed, "kind", owner.name, turn))
                near = rank(self._seed, "near", owner.name, turn) % 2 == 0
                pool = pools[ABOUT[kind], _module(owner) if near else owner.package]
                question = self._foreign(owner, kind, pool, turn)
                if question is not None:
                    questions.setdefault(question.key, question)
        return list(questions.values())

    def _foreign(
        self, owner: PublicCallable, kind: QuestionKind, pool: Sequence[Fact], turn: int
    ) -> Question | None:
        """A question for a parameter out of `pool` that `owner` lacks, or None if none is found."""
        for attempt in range(_TRIES if pool else 0):
            fact = pool[rank(self._seed, "foreign", owner.name, turn, attempt) % len(pool)]
            if len(fact.parameter) > 1 and lacks(owner, fact.parameter):
                asked = replace(fact, owner=owner)
                stated = self._stated(fact) if kind == "confirm" else ""
                return Question(kind=kind, fact=asked, standing="absent", stated=stated)
        return None

    def _weights(self, kinds: Sequence[QuestionKind]) -> dict[QuestionKind, float]:
        return {kind: getattr(self._settings.kinds, kind) for kind in kinds}


def evenly(facts: Sequence[Fact], count: int, *, max_same: float, seed: int) -> list[Fact]:
    """`count` facts or fewer, one of each callable before a second of any; no value beyond `max_same`."""
    values = Counter(fact.value for fact in facts)
    size = min(count, len(facts))
    # Fewer facts allow fewer of each value, which allows fewer facts: this shrinks to the size that holds.
    while (possible := sum(min(n, _most(size, max_same)) for n in values.values())) < size:
        size = possible
    left = Counter({value: _most(size, max_same) for value in values})
    drawn: list[Fact] = []
    for fact in _in_turns(facts, seed):
        if len(drawn) < size and left[fact.value] > 0:
            left[fact.value] -= 1
            drawn.append(fact)
    return drawn


def apportioned(count: int, weights: Mapping[QuestionKind, float]) -> dict[QuestionKind, int]:
    """`count` divided by `weights`; the parts add up to it."""
    total = sum(weights.values())
    parts: dict[QuestionKind, int] = {}
    passed = 0.0
    for kind, weight in weights.items():
        passed += weight
        parts[kind] = round(count * passed / total) - sum(parts.values()) if total else 0
    return parts


def weighted(weights: Mapping[QuestionKind, float], chosen: int) -> QuestionKind:
    """The kind on which a random number falls, each as often as its weight says."""
    place = chosen % 2**16 / 2**16 * sum(weights.values())
    for kind, weight in weights.items():
        place -= weight
        if place < 0:
            return kind
    return next(iter(weights))


def _most(size: int, max_same: float) -> int:
    return max(1, int(size * max_same))


def _in_turns(facts: Sequence[Fact], seed: int) -> Iterator[Fact]:
    by_owner: dict[str, list[Fact]] = defaultdict(list)
    for fact in sorted(facts, key=lambda f: rank(seed, "fact", f.owner.name, f.parameter, f.kind)):
        by_owner[fact.owner.name].append(fact)
    owners = sorted(by_owner, key=lambda name: rank(seed, "owner", name))
    for turn in zip_longest(*(by_owner[name] for name in owners)):
        yield from (fact for fact in turn if fact is not None)


def _module(entry: PublicCallable) -> str:
    return entry.name.rpartition(".")[0]

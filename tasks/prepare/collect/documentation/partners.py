"""Callables that are asked about together: two with one parameter, or three of which one has it."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import pairwise

from tasks.prepare.collect.documentation.callables import PublicCallable
from tasks.prepare.collect.documentation.facts import Fact, lacks
from tasks.prepare.collect.identifiers import rank

_TRIES = 12  # callables tried as one that lacks the parameter


class Partners:
    """Who is compared with whom.

    A callable has one partner at most: what is asked of two must stand in one split, so partners are one
    group, and with more than one all groups would grow together.
    """

    def __init__(self, found: Sequence[Fact], entries: Sequence[PublicCallable], *, seed: int) -> None:
        self._seed = seed
        self._near: dict[str, list[PublicCallable]] = defaultdict(list)
        for entry in entries:
            for place in dict.fromkeys((_module(entry), entry.package)):
                self._near[place].append(entry)
        self._compared = _compared([fact for fact in found if fact.kind == "default"], seed)

    @property
    def pairs(self) -> Mapping[str, str]:
        """The partner of each callable that has one, by name."""
        return {fact.owner.name: other.owner.name for fact, other in self._compared}

    @property
    def compared(self) -> Sequence[tuple[Fact, Fact]]:
        """The defaults of one parameter in two callables."""
        return self._compared

    def without(self, fact: Fact, count: int) -> tuple[PublicCallable, ...]:
        """`count` callables near the owner of `fact` that lack its parameter; fewer where they are rare."""
        found: dict[str, PublicCallable] = {}
        last = fact.owner.name.rpartition(".")[2]
        for place in (_module(fact.owner), fact.owner.package):
            pool = self._near[place]
            for attempt in range(_TRIES):
                other = pool[
                    rank(self._seed, "without", fact.owner.name, fact.parameter, attempt) % len(pool)
                ]
                if (
                    len(found) < count
                    and lacks(other, fact.parameter)
                    and other.name.rpartition(".")[2] != last
                ):
                    found.setdefault(other.name, other)
        return tuple(found.values()) if len(found) == count else ()


def _compared(defaults: Sequence[Fact], seed: int) -> list[tuple[Fact, Fact]]:
    """Pairs of facts about one parameter; those with unlike values first, as they are the rarer."""
    by_parameter: dict[tuple[str, str], list[Fact]] = defaultdict(list)
    for fact in defaults:
        by_parameter[fact.owner.package, fact.parameter].append(fact)
    possible: list[tuple[bool, int, Fact, Fact]] = []
    for facts in by_parameter.values():
        ordered = sorted(facts, key=lambda fact: rank(seed, "partner", fact.owner.name, fact.parameter))
        for one, other in pairwise(ordered):
            order = rank(seed, "pair", one.owner.name, other.owner.name, one.parameter)
            possible.append((one.value == other.value, order, one, other))
    partner: dict[str, str] = {}
    pairs: list[tuple[Fact, Fact]] = []
    for _, _, one, other in sorted(possible, key=lambda each: each[:2]):
        names = one.owner.name, other.owner.name
        if all(partner.get(name, mate) == mate for name, mate in (names, names[::-1])):
            partner.update((names, names[::-1]))
            pairs.append((one, other))
    return pairs


def _module(entry: PublicCallable) -> str:
    return entry.name.rpartition(".")[0]

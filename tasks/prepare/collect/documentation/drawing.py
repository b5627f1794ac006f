"""Which facts become questions: evenly over callables, no answer too often, an exact share unanswerable."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import zip_longest

from tasks.prepare.collect.documentation.callables import PublicCallable
from tasks.prepare.collect.documentation.facts import Fact, FactKind, lacks
from tasks.prepare.collect.documentation.questions import Question, Task
from tasks.prepare.collect.identifiers import rank
from tasks.prepare.settings import PackagesSource

_TRIES = 24  # names tried on a callable before it is taken to have none that it lacks


def draw(
    found: Sequence[Fact], entries: Sequence[PublicCallable], settings: PackagesSource, *, seed: int
) -> list[Question]:
    """At most `max_facts` questions; the share of unanswerable ones holds also where facts are few.

    The same fact is never asked twice, so no question has both an answer and an abstention.
    """
    unanswerable = round(settings.max_facts * settings.unanswerable)
    kinds: tuple[FactKind, ...] = ("default", "purpose", "lookup")
    answered = _drawn(found, settings.max_facts - unanswerable, kinds, settings, seed=seed)
    if settings.unanswerable < 1.0:
        unanswerable = round(len(answered) * settings.unanswerable / (1.0 - settings.unanswerable))
    taken = {question.key for question in answered}
    # A summary is not withheld: others may fit it as well.
    withheld = _drawn(found, unanswerable // 2, kinds[:2], settings, seed=seed, taken=taken, task="withheld")
    absent = _absent(found, entries, unanswerable - len(withheld), settings, seed=seed)
    return [*answered, *withheld, *absent]


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


def _most(size: int, max_same: float) -> int:
    return max(1, int(size * max_same))


def _in_turns(facts: Sequence[Fact], seed: int) -> Iterator[Fact]:
    by_owner: dict[str, list[Fact]] = defaultdict(list)
    for fact in sorted(facts, key=lambda f: rank(seed, "fact", f.owner.name, f.parameter, f.kind)):
        by_owner[fact.owner.name].append(fact)
    owners = sorted(by_owner, key=lambda name: rank(seed, "owner", name))
    for turn in zip_longest(*(by_owner[name] for name in owners)):
        yield from (fact for fact in turn if fact is not None)


def _drawn(
    found: Sequence[Fact],
    count: int,
    kinds: Sequence[FactKind],
    settings: PackagesSource,
    *,
    seed: int,
    taken: Collection[str] = (),
    task: Task | None = None,
) -> list[Question]:
    """`count` questions of the kinds, by their weights, of facts that are not `taken`."""
    questions: list[Question] = []
    weights: dict[FactKind, float] = {kind: getattr(settings.kinds, kind) for kind in kinds}
    for kind, wanted in _apportioned(count, weights).items():
        asked = [Question(task=task or kind, fact=fact) for fact in found if fact.kind == kind]
        free = [question.fact for question in asked if question.key not in taken]
        most = settings.max_same_default if kind == "default" else 1.0
        drawn = evenly(free, wanted, max_same=most, seed=seed)
        questions += [Question(task=task or kind, fact=fact) for fact in drawn]
    return questions


def _apportioned(count: int, weights: Mapping[FactKind, float]) -> dict[FactKind, int]:
    """`count` divided by `weights`; the parts add up to it."""
    total = sum(weights.values())
    parts: dict[FactKind, int] = {}
    passed = 0.0
    for kind, weight in weights.items():
        passed += weight
        parts[kind] = round(count * passed / total) - sum(parts.values()) if total else 0
    return parts


def _absent(
    found: Sequence[Fact],
    entries: Sequence[PublicCallable],
    count: int,
    settings: PackagesSource,
    *,
    seed: int,
) -> list[Question]:
    """Questions for parameters of other callables, half of them of the same module (the hard ones)."""
    pools: dict[tuple[FactKind, str], list[Fact]] = defaultdict(list)
    for fact in found:
        if fact.kind != "lookup":
            pools[fact.kind, fact.owner.package].append(fact)
            pools[fact.kind, _module(fact.owner)].append(fact)
    total = settings.kinds.default + settings.kinds.purpose
    purposes = round(2**16 * settings.kinds.purpose / total) if total else 0
    owners = sorted(
        (entry for entry in entries if entry.arguments), key=lambda entry: rank(seed, "absent", entry.name)
    )
    questions: dict[str, Question] = {}
    for turn in range(8):
        for owner in owners:
            if len(questions) >= count:
                return list(questions.values())
            kind: FactKind = (
                "purpose" if rank(seed, "kind", owner.name, turn) % 2**16 < purposes else "default"
            )
            near = rank(seed, "near", owner.name, turn) % 2 == 0
            pool = pools[kind, _module(owner) if near else owner.package]
            question = _foreign(owner, pool, turn, seed)
            if question is not None:
                questions.setdefault(question.key, question)
    return list(questions.values())


def _foreign(owner: PublicCallable, pool: Sequence[Fact], turn: int, seed: int) -> Question | None:
    """A question for a parameter out of `pool` that `owner` lacks, or None if none is found."""
    for attempt in range(_TRIES if pool else 0):
        fact = pool[rank(seed, "foreign", owner.name, turn, attempt) % len(pool)]
        if len(fact.parameter) > 1 and lacks(owner, fact.parameter):
            return Question(task="absent", fact=replace(fact, owner=owner))
    return None


def _module(entry: PublicCallable) -> str:
    return entry.name.rpartition(".")[0]

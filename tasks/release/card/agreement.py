"""How far people agree who have judged the same: by pairs, and beyond what chance would give.

Krippendorff's alpha takes any number of people, of whom each need not judge everything (Hayes and
Krippendorff 2007, Communication Methods and Measures 1:77); Cohen's kappa (1960) is of two people.
"""

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from itertools import combinations
from typing import Any

from tasks.rows.identity import prompt_key
from tasks.rows.records import Example, Preference, Row, Rows

MOST_PAIRS = 10  # of people whose kappa is told, those with most in common first
MOST_LABELS = 50  # different answers; more are no labels that two people would choose alike

Judgements = Mapping[Hashable, Mapping[str, str]]  # for each thing that was judged: who said what


def agreements(rows: Rows, annotator: str, *, fewest: int) -> list[dict[str, Any]]:
    """For each source and kind of rows that tell who judged: how far people agree.

    Preferences are judgements of which of two answers is the better, examples of which label a text has;
    where answers are free texts there is nothing to compare. Kappa is told of two people with `fewest` things
    or more that both have judged.
    """
    found: list[dict[str, Any]] = []
    for kind, judged in (("preference", rows.preferences), ("example", rows.examples)):
        for source in sorted({row.source for row in judged if row.metadata.get(annotator)}):
            mine = [row for row in judged if row.source == source and row.metadata.get(annotator)]
            told = _told(_judgements(mine, annotator), fewest)
            if told:
                found.append({"source": source, "kind": kind, **told})
    return found


def _judgements(rows: Iterable[Row], annotator: str) -> Judgements:
    """What each person said of each thing; the last where somebody judged it twice."""
    found: defaultdict[Hashable, dict[str, str]] = defaultdict(dict)
    for row in rows:
        match row:
            case Preference():
                answers = sorted((row.chosen, row.rejected))
                said = "first" if row.chosen == answers[0] else "second"
                found[prompt_key(row.prompt), *answers][row.metadata[annotator]] = said
            case Example():
                found[prompt_key(row.prompt)][row.metadata[annotator]] = row.answer.strip()
    return found


def _told(judged: Judgements, fewest: int) -> dict[str, Any]:
    """The figures; none where no thing was judged by two, or what was said are no labels."""
    shared = {thing: said for thing, said in judged.items() if len(said) > 1}
    labels = Counter(label for said in shared.values() for label in said.values())
    if not shared or len(labels) > min(MOST_LABELS, max(labels.total() // 2, 2)):
        return {}
    by_person: defaultdict[str, list[bool]] = defaultdict(list)
    for said in shared.values():
        for one, other in combinations(sorted(said), 2):
            by_person[one].append(said[one] == said[other])
            by_person[other].append(said[one] == said[other])
    alike = sum(map(sum, by_person.values())) / sum(map(len, by_person.values()))
    return {
        "people": len({person for said in judged.values() for person in said}),
        "judged": len(judged),
        "judged_by_several": len(shared),
        "agreement": round(alike, 4),
        "alpha": _rounded(alpha([list(said.values()) for said in shared.values()])),
        "kappas": _kappas(shared, fewest),
        "by_person": {
            person: {"compared": len(met), "agreement": round(sum(met) / len(met), 4)}
            for person, met in sorted(
                by_person.items(), key=lambda each: (sum(each[1]) / len(each[1]), each[0])
            )
            if len(met) >= fewest
        },
    }


def alpha(units: Iterable[Sequence[str]]) -> float | None:
    """Krippendorff's alpha of labels without an order: 1 all agree, 0 as chance would have it.

    Each unit holds the labels that it was given; None where there is but one label, or no unit with two.
    """
    totals: Counter[str] = Counter()
    differing = 0.0
    for unit in units:
        if len(unit) > 1:
            counts = Counter(unit)
            totals += counts
            differing += (len(unit) ** 2 - sum(n * n for n in counts.values())) / (len(unit) - 1)
    whole = totals.total()
    expected = (whole**2 - sum(n * n for n in totals.values())) / (whole - 1) if whole > 1 else 0.0
    return 1.0 - differing / expected if expected else None


def _kappas(shared: Judgements, fewest: int) -> list[dict[str, Any]]:
    """Cohen's kappa of the people with most in common."""
    from sklearn.metrics import cohen_kappa_score

    both: defaultdict[tuple[str, str], list[tuple[str, str]]] = defaultdict(list)
    for said in shared.values():
        for one, other in combinations(sorted(said), 2):
            both[one, other].append((said[one], said[other]))
    most = sorted(both.items(), key=lambda each: (-len(each[1]), each[0]))[:MOST_PAIRS]
    return [
        {"people": list(people), "judged": len(said), "kappa": _rounded(_kappa(cohen_kappa_score, said))}
        for people, said in most
        if len(said) >= fewest
    ]


def _kappa(score: Any, said: Sequence[tuple[str, str]]) -> float | None:
    """None where both have said but one and the same: chance would have given that, too."""
    ones, others = zip(*said, strict=True)
    return float(score(ones, others)) if len({*ones, *others}) > 1 else None


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)

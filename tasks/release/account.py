"""The account of rows as figures of a report, and back."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from tasks.prepare.tracing.balance import Balance, Line


def account_figures(found: Balance, faults: Sequence[str]) -> dict[str, Any]:
    """Each line with its outcomes and its reasons by stage, and what does not add up."""
    return {"lines": [_figures(line) for line in found.lines], "faults": list(faults)}


def read_account(figures: Mapping[str, Any]) -> Balance:
    """The account that `account_figures` has written."""
    return Balance(
        lines=tuple(
            Line(
                source=line["source"],
                kind=line["kind"],
                collected=line["collected"],
                outcomes=Counter(line["outcomes"]),
                reasons={
                    (stage, reason): count
                    for stage, told in line["reasons"].items()
                    for reason, count in told.items()
                },
                trained=line["trained"],
                tokens=line["tokens"],
            )
            for line in figures["lines"]
        ),
        faults=tuple(figures["faults"]),
    )


def _figures(line: Line) -> dict[str, Any]:
    reasons: defaultdict[str, dict[str, int]] = defaultdict(dict)
    for (stage, reason), count in line.reasons.items():
        reasons[stage][reason] = count
    return {
        "source": line.source,
        "kind": line.kind,
        "collected": line.collected,
        "outcomes": {name: count for name, count in sorted(line.outcomes.items()) if count},
        "trained": line.trained,
        "tokens": line.tokens,
        "reasons": dict(reasons),
    }

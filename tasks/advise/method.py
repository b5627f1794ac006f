"""Which adaptation method: the cheapest that was measured to be as good as the best, else a rule."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tasks.advise.facts import Facts, MethodResult
from tasks.methods import METHODS
from tasks.methods.method import Method

NONE = "none"  # the untuned model among the measured methods
MANY = 10_000  # questions with answers, from which on full tuning pulls away from LoRA
LARGE = 10_000_000_000  # parameters, from which on a soft prompt is as good as full tuning


@dataclass(frozen=True, slots=True, kw_only=True)
class Needed:
    """The peak memory of a method in MiB, what it is known from, and the settings of `sft` that it is for."""

    peak_mib: int
    basis: str
    settings: Mapping[str, Any] = field(default_factory=dict)


Need = Callable[[str], Needed]


@dataclass(frozen=True, slots=True, kw_only=True)
class MethodAdvice:
    """A method, why it was chosen, and what it needs; an empty name: none fits."""

    name: str
    reason: str
    needs: Needed


def choose(facts: Facts, need: Need, *, before_rlhf: bool) -> MethodAdvice:
    """The method to tune with; one that RLHF can go on from, if it is to come `before_rlhf`."""
    known = {name: METHODS[name] for name in facts.methods if name in METHODS}
    usable = {name: method for name, method in known.items() if not (before_rlhf and _bars_rlhf(method))}
    worth = _worth(facts, usable)
    fits = {name: need(name) for name in worth}
    fits = {name: peak for name, peak in fits.items() if peak.peak_mib <= facts.machine.training_mib}
    if fits:
        return _measured(facts.methods, fits)
    return _by_rule(facts, need, before_rlhf=before_rlhf)


def _worth(facts: Facts, usable: Mapping[str, Method]) -> list[str]:
    """Those that were measured to do better than the untuned model and forget no more than may be."""
    base = facts.methods[NONE].score if NONE in facts.methods else 0.0
    return [
        name
        for name in usable
        if facts.methods[name].low > base and facts.methods[name].retention >= facts.min_retention
    ]


def _measured(methods: Mapping[str, MethodResult], fits: Mapping[str, Needed]) -> MethodAdvice:
    best = max(fits, key=lambda name: methods[name].score)
    alike = [name for name in fits if methods[name].score >= methods[best].low]
    name = min(alike, key=lambda name: (fits[name].peak_mib, -methods[name].score))
    row, top = methods[name], methods[best]
    told = f"measured by threeply compare: {name} scored {row.score:.3f} and retained {row.retention:.3f}"
    if name == best:
        reason = f"{told}, the best of {len(fits)} methods that fit"
    else:
        reason = (
            f"{told}, within the interval of the best ({best}, {top.score:.3f}, {top.low:.3f} to "
            f"{top.high:.3f}), and needs the least memory of such"
        )
    return MethodAdvice(name=name, reason=reason, needs=fits[name])


def _by_rule(facts: Facts, need: Need, *, before_rlhf: bool) -> MethodAdvice:
    """The first row whose condition holds and that fits into memory."""
    rows: tuple[tuple[str, bool, str], ...] = (
        (
            "full",
            facts.examples >= MANY,
            f"{facts.examples:,} questions with answers: with so many full tuning learns more than LoRA "
            "(Biderman et al. 2024, arXiv:2405.09673)",
        ),
        (
            "lora",
            True,
            "LoRA on all linear layers learns about as much as full tuning from few rows, forgets less "
            "(Hu et al. 2021; Biderman et al. 2024, arXiv:2405.09673), and RLHF can go on from it",
        ),
        (
            "qlora",
            True,
            "the base fits into memory in four bits alone (Dettmers et al. 2023, arXiv:2305.14314); "
            "it needs `make extras`",
        ),
        (
            "prompt",
            facts.parameters >= LARGE,
            "from ten billion parameters on a soft prompt is as good as full tuning (Lester et al. 2021, "
            "arXiv:2104.08691), and little else fits",
        ),
    )
    unmeasured = "no comparison has been measured here (threeply compare makes one)"
    for name, holds, reason in rows:
        if not holds or (before_rlhf and _bars_rlhf(METHODS[name])):
            continue
        needs = need(name)
        if needs.peak_mib <= facts.machine.training_mib:
            return MethodAdvice(name=name, reason=f"{reason}; {unmeasured}", needs=needs)
    name = min(("lora", "qlora"), key=lambda name: need(name).peak_mib)
    least = need(name)
    return MethodAdvice(
        name="",
        reason=f"no method fits into {facts.machine.training_mib:,} MiB; {name} needs {least.peak_mib:,} MiB",
        needs=least,
    )


def _bars_rlhf(method: Method) -> bool:
    return "rlhf" in method.cannot

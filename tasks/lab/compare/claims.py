"""What papers say of the methods, beside what was measured here. Contradictions are welcome."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from tasks.lab.compare.figures import FULL, MethodFigures
from tasks.lab.settings import UNTUNED

Verdict = Literal["confirmed", "not confirmed here", "contradicted", "not measured"]
ALMOST = 0.95  # of full tuning's gain
SMALL = 0.01  # of the weights
SAME = 0.05  # a difference of latency that a clock does not tell from none, at the least
SHAPED = ("full", "selective", "lora", "lora_pro", "qlora")  # served, they have the shape of the base
SOFT = ("prompt", "p_tuning_v1")


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A claim, who makes it, and what these rows say to it."""

    claim: str
    source: str
    verdict: Verdict
    figures: str


def judge(rows: Sequence[MethodFigures]) -> list[Claim]:
    """Every claim with its verdict."""
    by_name = {row.method: row for row in rows}
    return [
        Claim(claim=claim, source=source, verdict=verdict, figures=figures)
        for claim, source, test in CLAIMS
        for verdict, figures in [test(by_name)]
    ]


Judgement = tuple[Verdict, str]
Rows = Mapping[str, MethodFigures]


def _arithmetic(_: Rows) -> Judgement:
    share = 16 * (1024 + 1024) / 1024**2
    return (
        "confirmed",
        f"16 x (1024 + 1024) of 1024 x 1024 are {share:.1%}: {1 - share:.1%} saved, by counting",
    )


def _near_full(rows: Rows) -> Judgement:
    full = rows.get(FULL)
    shares = {
        row: (row.trainable_share, row.gain_share)
        for row in rows.values()
        if row.trainable_share is not None and row.gain_share is not None
    }
    if full is None or not shares:
        return "not measured", f"needs {UNTUNED}, {FULL} and a gain of full tuning"
    small = {row: found for row, found in shares.items() if found[0] < SMALL}
    if not small:
        return "not measured", f"every method here trains {SMALL:.0%} of the weights or more"
    best = max(small, key=lambda row: small[row][1])
    share, gain = small[best]
    told = f"{best.method}: {gain:.0%} of full tuning's gain with {100 * share:.2g}% of the weights"
    if gain >= ALMOST:
        return "confirmed", told
    return ("contradicted" if best.high < full.low else "not confirmed here"), told


def _adapter_share(rows: Rows) -> Judgement:
    adapter = rows.get("adapter")
    if adapter is None or adapter.trainable_share is None:
        return "not measured", "needs adapter"
    inside = 0.005 <= adapter.trainable_share <= 0.08
    return ("confirmed" if inside else "not confirmed here"), f"{adapter.trainable_share:.2%} of the weights"


def _adapter_slower(rows: Rows) -> Judgement:
    adapter = rows.get("adapter")
    if adapter is None or adapter.slower_served is None:
        return "not measured", "needs adapter"
    noise = _noise(rows)
    told = f"{adapter.slower_served:.2f} times the time of a token; the clock's noise is {noise:.2f}"
    return ("confirmed" if adapter.slower_served > 1 + noise else "not confirmed here"), told


def _merged_lora(rows: Rows) -> Judgement:
    lora = rows.get("lora")
    if lora is None or lora.slower_served is None:
        return "not measured", "needs lora"
    beside = f", {lora.slower_attached:.2f} unmerged" if lora.slower_attached is not None else ""
    noise = _noise({name: row for name, row in rows.items() if row is not lora})
    told = (
        f"{lora.slower_served:.2f} times the time of a token merged{beside}; the clock's noise is {noise:.2f}"
    )
    return ("confirmed" if abs(lora.slower_served - 1) <= noise else "not confirmed here"), told


def _noise(rows: Rows) -> float:
    """By how much the time of a token differs from the base model's where the model has its shape."""
    served = [rows[name].slower_served for name in SHAPED if name in rows]
    return max([SAME, *(abs(time - 1) for time in served if time is not None)])


def _prefix_share(rows: Rows) -> Judgement:
    found = rows.get("p_tuning_v2")
    if found is None or found.trainable_share is None:
        return "not measured", "needs p_tuning_v2"
    near = 0.0005 <= found.trainable_share <= 0.003
    return ("confirmed" if near else "not confirmed here"), f"{found.trainable_share:.2%} of the weights"


def _soft_weak(rows: Rows) -> Judgement:
    soft = [rows[name] for name in SOFT if name in rows]
    lora = rows.get("lora")
    if not soft or lora is None:
        return "not measured", "needs lora and prompt or p_tuning_v1"
    told = ", ".join(f"{row.method} {row.score:.2f}" for row in soft) + f" against LoRA's {lora.score:.2f}"
    if all(row.high < lora.low for row in soft):
        return "confirmed", told
    return ("contradicted" if any(row.score >= lora.score for row in soft) else "not confirmed here"), told


def _pruning(rows: Rows) -> Judgement:
    pruned, recovered = rows.get("unrecovered"), rows.get("pruning")
    if pruned is None or recovered is None:
        return "not measured", "needs pruning and its variant unrecovered"
    told = (
        f"pruned: score {pruned.score:.2f}, retention {pruned.retention:.2f}; "
        f"recovered: score {recovered.score:.2f}, retention {recovered.retention:.2f}"
    )
    if pruned.retention >= ALMOST:
        return "contradicted", f"{told}: pruning alone cost next to nothing"
    better = recovered.retention > pruned.retention or recovered.low > pruned.high
    return ("confirmed" if better else "not confirmed here"), told


def _curated(rows: Rows) -> Judgement:
    few, many = rows.get("curated"), rows.get("noisy")
    if few is None or many is None:
        return "not measured", "needs the variants curated and noisy"
    told = f"few right rows seen often {few.score:.2f}, many with wrong ones among them {many.score:.2f}"
    if few.low > many.high:
        return "confirmed", told
    return ("contradicted" if many.low > few.high else "not confirmed here"), told


CLAIMS: tuple[tuple[str, str, Callable[[Rows], Judgement]], ...] = (
    ("LoRA of rank 16 on a matrix of 1024 x 1024 saves 97 % of its weights", "Hu et al. 2021", _arithmetic),
    ("Below 1 % of the weights bring 95 % of full tuning's gain or more", "Hu et al. 2021", _near_full),
    ("Adapters train 0.5 to 8 % of the weights", "Houlsby et al. 2019", _adapter_share),
    ("Adapters make inference slower", "Houlsby et al. 2019; Hu et al. 2021", _adapter_slower),
    ("A merged LoRA adds no latency", "Hu et al. 2021", _merged_lora),
    ("A prefix is about 0.1 % of the weights", "Li and Liang 2021", _prefix_share),
    ("Soft prompts are weak on small models", "Lester et al. 2021", _soft_weak),
    ("A pruned model needs recovery", "Han et al. 2015; Ma et al. 2023", _pruning),
    ("1,000 curated rows beat 10,000 noisy ones", "Zhou et al. 2023 (LIMA)", _curated),
)

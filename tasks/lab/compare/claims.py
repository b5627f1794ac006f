"""What papers say of the methods, beside what was measured here. Contradictions are welcome.

A verdict on scores asks for several seeds, for full tuning clearly above the untuned model and above always
abstaining, and for intervals that do not touch. Else it cannot be told here; the figures say what it takes.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from tasks.lab.compare.figures import FULL, MethodFigures
from tasks.lab.settings import UNTUNED

Verdict = Literal["confirmed", "contradicted", "cannot be told here", "not measured"]
SEEDS = 3  # trainings from which a verdict may be drawn: fewer do not tell how far one lies from the next
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


def _untold(rows: Rows, *names: str) -> Judgement | None:
    """Why scores of these methods, and so of all, tell nothing; None if they do."""
    missing = [name for name in (UNTUNED, FULL, *names) if name not in rows]
    if missing:
        return "not measured", f"needs {', '.join(missing)}"
    base, full = rows[UNTUNED], rows[FULL]
    few = min(rows[name].seeds for name in (FULL, *names))
    if few < SEEDS:
        return "cannot be told here", f"{few} of {SEEDS} seeds: add some to compare.seeds"
    if full.low <= max(base.high, full.constant):
        return "cannot be told here", (
            f"full tuning scores {_told(full)}, not clearly above the untuned model ({_told(base)}) and "
            f"always abstaining ({full.constant:.2f}): raise compare.tokens or compare.questions"
        )
    return None


def _told(row: MethodFigures) -> str:
    return f"{row.score:.2f}, {row.low:.2f} to {row.high:.2f}"


def _ordered(better: MethodFigures, worse: MethodFigures) -> Verdict:
    """What is said of a claim that the one is better than the other."""
    if better.low > worse.high:
        return "confirmed"
    return "contradicted" if worse.low > better.high else "cannot be told here"


def _near_full(rows: Rows) -> Judgement:
    if untold := _untold(rows):
        return untold
    small = [row for row in rows.values() if row.trainable_share is not None and row.trainable_share < SMALL]
    if not small:
        return "not measured", f"every method here trains {SMALL:.0%} of the weights or more"
    best = max(small, key=lambda row: row.score)
    if untold := _untold(rows, best.method):
        return untold
    share, low, high = (value or 0.0 for value in (best.gain_share, best.gain_low, best.gain_high))
    weights = f"{100 * (best.trainable_share or 0.0):.2g}% of the weights"
    told = f"{best.method}: {share:.0%} ({low:.0%} to {high:.0%}) of full tuning's gain with {weights}"
    if low >= ALMOST:
        return "confirmed", told
    return ("contradicted" if high < ALMOST else "cannot be told here"), told


def _adapter_share(rows: Rows) -> Judgement:
    adapter = rows.get("adapter")
    if adapter is None or adapter.trainable_share is None:
        return "not measured", "needs adapter"
    inside = 0.005 <= adapter.trainable_share <= 0.08
    return ("confirmed" if inside else "contradicted"), f"{adapter.trainable_share:.2%} of the weights"


def _adapter_slower(rows: Rows) -> Judgement:
    adapter = rows.get("adapter")
    if adapter is None or adapter.slower_served is None:
        return "not measured", "needs adapter"
    noise = _noise(rows)
    told = f"{adapter.slower_served:.2f} times the time of a token; the clock's noise is {noise:.2f}"
    if adapter.slower_served > 1 + noise:
        return "confirmed", told
    return ("contradicted" if adapter.slower_served < 1 - noise else "cannot be told here"), told


def _merged_lora(rows: Rows) -> Judgement:
    lora = rows.get("lora")
    if lora is None or lora.slower_served is None:
        return "not measured", "needs lora"
    beside = f", {lora.slower_attached:.2f} unmerged" if lora.slower_attached is not None else ""
    noise = _noise({name: row for name, row in rows.items() if row is not lora})
    told = (
        f"{lora.slower_served:.2f} times the time of a token merged{beside}; the clock's noise is {noise:.2f}"
    )
    return ("contradicted" if lora.slower_served > 1 + noise else "confirmed"), told


def _noise(rows: Rows) -> float:
    """By how much the time of a token differs from the base model's where the model has its shape."""
    served = [rows[name].slower_served for name in SHAPED if name in rows]
    return max([SAME, *(abs(time - 1) for time in served if time is not None)])


def _prefix_share(rows: Rows) -> Judgement:
    found = rows.get("p_tuning_v2")
    if found is None or found.trainable_share is None:
        return "not measured", "needs p_tuning_v2"
    near = 0.0005 <= found.trainable_share <= 0.003
    return ("confirmed" if near else "contradicted"), f"{found.trainable_share:.2%} of the weights"


def _soft_weak(rows: Rows) -> Judgement:
    soft = [rows[name] for name in SOFT if name in rows]
    if untold := _untold(rows, "lora", *(row.method for row in soft)):
        return untold
    if not soft:
        return "not measured", f"needs {' or '.join(SOFT)}"
    lora = rows["lora"]
    told = "; ".join(f"{row.method} {_told(row)}" for row in soft) + f"; LoRA {_told(lora)}"
    found = {_ordered(lora, row) for row in soft}
    return (found.pop() if len(found) == 1 else "cannot be told here"), told


def _pruning(rows: Rows) -> Judgement:
    pruned, recovered, base = (rows.get(name) for name in ("unrecovered", "pruning", UNTUNED))
    if pruned is None or recovered is None or base is None:
        return "not measured", f"needs {UNTUNED}, pruning and its variant unrecovered"
    told = (
        f"pruned: {_told(pruned)}, retention {pruned.retention:.2f}; "
        f"recovered: {_told(recovered)}, retention {recovered.retention:.2f}"
    )
    if pruned.retention >= ALMOST and pruned.low >= base.low:
        return "contradicted", f"{told}: pruning alone cost next to nothing"
    if recovered.seeds < SEEDS:
        return "cannot be told here", f"{told}; {recovered.seeds} of {SEEDS} seeds: add some to compare.seeds"
    if recovered.low <= recovered.constant:
        return "cannot be told here", f"{told}; always abstaining scores {recovered.constant:.2f}"
    return _ordered(recovered, pruned), told


def _curated(rows: Rows) -> Judgement:
    if untold := _untold(rows, "curated", "noisy"):
        return untold
    few, many = rows["curated"], rows["noisy"]
    told = f"few right rows seen often: {_told(few)}; many with wrong ones among them: {_told(many)}"
    return _ordered(few, many), told


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

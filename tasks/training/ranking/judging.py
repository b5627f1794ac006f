"""How well questions are ranked, with what was trained and without it, and whether that is better."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from statistics import fmean
from typing import Any

from deploy.composed import numbered
from deploy.knowledge.reranker import Reranker
from tasks.pages.numbers import difference_told
from tasks.scoring.recall import RESAMPLES, Ranked, gain, placed
from tasks.scoring.scores import Interval, bootstrap, verdict
from tasks.training.ranking.mining import Mined

KS = (1, 3, 10)


def ranks(mined: Sequence[Mined], reranker: Reranker | None = None) -> Ranked:
    """The places of what answers each question; in the order of the fusion without a reranker."""
    hits = [reranker.rerank(each.query, each.before, each.hits) if reranker else each.hits for each in mined]
    return placed([each.row for each in mined], [numbered(each) for each in hits])


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The same questions ranked by the search as it is (`before`), and with what was trained."""

    before: Ranked
    after: Ranked
    mrr: Interval
    shown: Interval
    top_k: int

    @classmethod
    def of(cls, before: Ranked, after: Ranked, *, top_k: int, seed: int) -> "Verdict":
        """What both ranks say; `top_k` passages are shown to the model."""
        pairs = zip(after.reciprocal(), before.reciprocal(), strict=True)
        more = bootstrap([one - other for one, other in pairs], resamples=RESAMPLES, seed=seed)
        shown = gain(after, before, top_k=top_k, seed=seed)
        return cls(before=before, after=after, mrr=more, shown=shown, top_k=top_k)

    @property
    def better(self) -> bool:
        """Whether what was trained ranks better for sure: no chance of a few questions."""
        return verdict(self.mrr) == "helps"

    @property
    def hindrance(self) -> str:
        """Why what was trained is not kept; empty where it is."""
        return (
            "" if self.better else "it does not rank questions of validation better for sure than the fusion"
        )

    def sentence(self, with_it: str = "reranked") -> str:
        """What was found, in words; `with_it` says what has ranked them the second time."""
        return (
            f"{len(self.after.places)} questions of validation that chose nothing: MRR "
            f"{_mrr(self.before):.3f} by the fusion, {_mrr(self.after):.3f} {with_it} ({told(self.mrr)}); "
            f"within {self.top_k}: {self.before.share(self.top_k):.3f}, "
            f"{self.after.share(self.top_k):.3f} ({told(self.shown)})"
        )

    def figures(self) -> dict[str, Any]:
        """What a report says of it."""
        return {
            "judged_by": len(self.after.places),
            "before": _figures(self.before),
            "after": _figures(self.after),
            "gain_mrr": _rounded(self.mrr),
            f"gain_recall@{self.top_k}": _rounded(self.shown),
        }


def told(interval: Interval) -> str:
    """A paired difference with its interval, in words."""
    return difference_told(interval.mean, interval.low, interval.high)


def _mrr(ranked: Ranked) -> float:
    return fmean(ranked.reciprocal())


def _figures(ranked: Ranked) -> dict[str, float]:
    return {
        **{f"recall@{k}": round(ranked.share(k), 4) for k in KS},
        "mrr": round(_mrr(ranked), 4),
    }


def _rounded(interval: Interval) -> dict[str, float]:
    return {name: round(value, 4) for name, value in asdict(interval).items()}

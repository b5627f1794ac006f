"""How often retrieval shows the passage that answers, and whether another setting shows it more often."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from math import inf

from deploy.assistant import Assistant
from deploy.prompts.template import Source
from tasks.rows.grounding import cited_sources, compose
from tasks.rows.records import Example
from tasks.scoring.scores import Interval, bootstrap

RESAMPLES = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranked:
    """For each row the place among its sources, from 1, at which all that answers it has been shown.

    `places` are infinite where it is not there; `words` is how many words a row's sources have on average.
    """

    places: tuple[float, ...]
    words: float

    def within(self, top_k: int) -> list[float]:
        """For each row 1 if `top_k` sources are enough, else 0."""
        return [float(place <= top_k) for place in self.places]

    def share(self, top_k: int) -> float:
        """The share of rows for which `top_k` sources are enough."""
        return sum(self.within(top_k)) / len(self.places)

    def reciprocal(self) -> list[float]:
        """For each row one over its place, 0 where it has none: the mean of it is the MRR."""
        return [1.0 / place for place in self.places]


def ranked(rows: Sequence[Example], assistant: Assistant) -> Ranked:
    """The places of what answers `rows`, none of them empty, among the sources that `assistant` shows."""
    prompts = compose(rows, assistant)
    return placed(rows, [prompt.sources for prompt in prompts])


def placed(rows: Sequence[Example], shown: Sequence[Sequence[Source]]) -> Ranked:
    """The places of what answers `rows`, none of them empty, among the sources `shown` for each."""
    places = [max(cited_sources(row, sources), default=inf) for row, sources in zip(rows, shown, strict=True)]
    words = sum(len(source.text.split()) for sources in shown for source in sources)
    return Ranked(places=tuple(map(float, places)), words=words / len(rows))


def with_evidence(rows: Sequence[Example]) -> list[Example]:
    """The rows of which it is known what answers them."""
    return [row for row in rows if row.answerable and row.evidence]


def parts(rows: Sequence[Example], shown: Sequence[float]) -> dict[str, tuple[float, int]]:
    """The share of rows whose passage was shown, with their number: of all rows, and of each part of them."""
    gathered: dict[str, list[float]] = defaultdict(list)
    for row, there in zip(rows, shown, strict=True):
        follows = ["follow-ups"] if sum(turn.role == "user" for turn in row.prompt) > 1 else []
        for name in ("all", row.held_out or "like training", *follows, f"kind {row.task}"):
            gathered[name].append(there)
    return {name: (round(sum(each) / len(each), 4), len(each)) for name, each in sorted(gathered.items())}


def gain(better: Ranked, present: Ranked, *, top_k: int, seed: int) -> Interval:
    """By how much the share of `better` is higher at `top_k`, over the same rows, with its 95 % interval."""
    pairs = zip(better.within(top_k), present.within(top_k), strict=True)
    return bootstrap([one - other for one, other in pairs], resamples=RESAMPLES, seed=seed)

"""Protects the verdict on a reranker: only a gain that is no chance of a few questions counts."""

from math import inf

import pytest

from tasks.scoring.recall import Ranked
from tasks.training.ranking.judging import Verdict

FUSED = (2.0,) * 30 + (inf,) * 10


def judged(*places: float) -> Verdict:
    after = Ranked(places=places, words=1.0)
    return Verdict.of(Ranked(places=FUSED, words=1.0), after, top_k=1, seed=1)


def test_a_sure_gain_is_told_with_its_interval() -> None:
    found = judged(*(1.0,) * 20, *FUSED[20:])
    assert found.better
    figures = found.figures()
    assert (figures["before"]["mrr"], figures["after"]["mrr"]) == (0.375, 0.625)
    assert (figures["before"]["recall@1"], figures["after"]["recall@1"]) == (0.0, 0.5)
    assert figures["before"]["recall@3"] == figures["after"]["recall@10"] == 0.75
    assert figures["gain_mrr"]["mean"] == pytest.approx(0.25)
    assert figures["gain_recall@1"]["mean"] == 0.5
    assert "40 questions of validation that chose nothing: MRR 0.375 by the fusion, 0.625" in found.sentence()


@pytest.mark.parametrize("places", [FUSED, (1.0, *FUSED[1:]), (*(1.0,) * 4, *(3.0,) * 12, *FUSED[16:])])
def test_no_gain_or_one_by_chance_is_none(places: tuple[float, ...]) -> None:
    assert not judged(*places).better

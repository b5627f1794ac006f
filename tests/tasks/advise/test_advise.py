"""Protects which layers and which method are advised for which facts, and that the settings load."""

import dataclasses
from collections.abc import Mapping
from typing import Any

import pytest

from tasks.advise import Advice, advise
from tasks.advise.facts import Facts, Machine, MethodResult
from tasks.advise.method import Needed
from tasks.advise.rules import LAYERS, RULES
from tasks.evaluation.ledger import Arm, Difference, Ledger
from tasks.machine.settings import overlay
from tasks.settings import check_settings, read_params
from tests.conftest import ROOT

LAPTOP = Machine(cores=2, memory_mib=8_000)
FACTS = Facts(
    goal="both",
    documents=500,
    examples=2_000,
    preferences=1_000,
    parameters=135_000_000,
    minutes=120.0,
    machine=LAPTOP,
)
PEAKS = {"lora": 3_000, "full": 5_000, "qlora": 2_000, "prompt": 2_500, "p_tuning_v2": 2_400}


def need(method: str) -> Needed:
    return Needed(peak_mib=PEAKS.get(method, 4_000), basis="told by the test")


def advised(need: Any = need, **changes: Any) -> Advice:
    return advise(dataclasses.replace(FACTS, **changes), need)


def ledger(**verdicts: str) -> Ledger:
    """A ledger with these verdicts."""
    arms = {
        name: Arm(
            score=0.5, low=0.4, high=0.6, n=120, abstention=None, false_abstention=None,
            citation_validity=None, citation_precision=None, retention=1.0, latency_ms=None, unfinished=0.0,
            tasks={}, difference=Difference(against="prompt", mean=0.1, low=0.0, high=0.2, verdict=verdict),  # type: ignore[arg-type]
        )
        for name, verdict in verdicts.items()
    }  # fmt: skip
    return Ledger(
        arms=arms, majority=0.3, majority_answer="no", recall=None, top_k=2, questions=120, unanswerable=0
    )


@pytest.mark.parametrize(
    ("changes", "layers"),
    [
        ({}, ["prompt", "retrieval", "sft", "rlhf"]),
        ({"documents": 0, "examples": 0, "preferences": 0}, ["prompt"]),
        ({"goal": "knowledge"}, ["prompt", "retrieval"]),
        ({"goal": "knowledge", "documents": 0}, ["prompt"]),
        ({"goal": "skill"}, ["prompt", "sft", "rlhf"]),
        ({"goal": "skill", "examples": 49, "preferences": 0}, ["prompt", "few_shot"]),
        ({"goal": "skill", "examples": 50, "preferences": 0}, ["prompt", "sft"]),
        ({"goal": "skill", "examples": 20}, ["prompt", "few_shot"]),  # no RLHF without fine-tuning
        ({"preferences": 199}, ["prompt", "retrieval", "sft"]),
        ({"preferences": 200}, ["prompt", "retrieval", "sft", "rlhf"]),
        ({"minutes": 0.1}, ["prompt", "retrieval"]),
        ({"machine": Machine(cores=2, memory_mib=1_000)}, ["prompt", "retrieval"]),
        ({"chain_minutes": 130.0}, ["prompt", "retrieval", "sft"]),
        ({"ledger": ledger(rlhf="does not help")}, ["prompt", "retrieval", "sft"]),
        ({"ledger": ledger(sft="does not help")}, ["prompt", "retrieval"]),
    ],
)
def test_the_layers_follow_from_the_facts(changes: Mapping[str, Any], layers: list[str]) -> None:
    assert advised(**changes).layers == layers


def test_every_layer_is_decided_whatever_the_facts() -> None:
    assert {rule.layer for rule in RULES} == set(LAYERS)
    for goal in ("skill", "knowledge", "both"):
        for counts in ((0, 0, 0), (1, 1, 1), (100, 60, 300), (10**6, 10**6, 10**6)):
            names = ("documents", "examples", "preferences")
            found = advised(goal=goal, **dict(zip(names, counts, strict=True)))
            assert [decision.layer for decision in found.decisions] == list(LAYERS)
            assert all(decision.reason for decision in found.decisions)


def test_a_measurement_is_named_before_a_paper() -> None:
    by_paper = {decision.layer: decision.reason for decision in advised().decisions}
    measured = advised(ledger=ledger(sft="helps", retrieval="helps")).decisions
    assert "Zhou et al. 2023" in by_paper["sft"]
    for decision in measured:
        if decision.layer in ("sft", "retrieval"):
            assert decision.reason.startswith("measured here: it helps (+0.100 over prompt")


@pytest.mark.parametrize(
    ("changes", "method"),
    [
        ({}, "lora"),
        ({"examples": 20_000, "preferences": 0, "minutes": 1e6}, "full"),
        ({"examples": 20_000, "minutes": 1e6}, "lora"),  # RLHF cannot go on from full tuning
        ({"preferences": 0, "machine": Machine(cores=2, memory_mib=2_400)}, "qlora"),
    ],
)
def test_an_unmeasured_method_follows_a_rule(changes: Mapping[str, Any], method: str) -> None:
    chosen = advised(**changes).method
    assert chosen is not None
    assert chosen.name == method
    assert "threeply compare makes one" in chosen.reason


def test_a_measured_method_is_the_cheapest_as_good_as_the_best() -> None:
    methods = {
        "none": MethodResult(score=0.2, low=0.1, high=0.3, retention=1.0),
        "full": MethodResult(score=0.80, low=0.70, high=0.90, retention=0.9),
        "lora": MethodResult(score=0.78, low=0.68, high=0.88, retention=0.9, tokens_per_s=100.0),
        "prompt": MethodResult(score=0.30, low=0.15, high=0.40, retention=1.0),  # no better than the base
        "qlora": MethodResult(score=0.79, low=0.69, high=0.89, retention=0.5),  # forgets too much
    }
    found = advised(methods=methods, min_retention=0.6, preferences=0)
    assert found.method is not None
    assert found.method.name == "lora"
    assert "within the interval of the best (full, 0.800, 0.700 to 0.900)" in found.method.reason
    assert found.training is not None
    assert "100 tokens/s measured" in found.training.basis


def test_rows_are_as_many_as_the_time_allows() -> None:
    measured = {"tokens_per_s": 100.0, "measured_method": "lora", "row_tokens": 200.0, "preferences": 0}
    found = advised(minutes=10.0, **measured)
    assert found.training is not None
    assert (found.training.rows, found.training.minutes) == (300, 10.0)
    assert found.params["sft"]["max_rows"] == 300
    plenty = advised(minutes=1000.0, **measured)
    assert plenty.training is not None
    assert plenty.training.rows == 2_000


@pytest.mark.parametrize("changes", [{}, {"examples": 0}, {"preferences": 0}, {"goal": "knowledge"}])
def test_the_settings_are_valid(changes: Mapping[str, Any]) -> None:
    values = overlay(read_params(ROOT / "params.yaml"), advised(**changes).params)
    settings = check_settings(values, origin="advice")
    assert settings.reward.enabled is ("rlhf" in advised(**changes).layers)


def test_settings_that_make_it_fit_are_given() -> None:
    def tight(method: str) -> Needed:
        return Needed(peak_mib=100, basis="", settings={"batch_size": 1, "accumulation": 4})

    found = advised(need=tight)
    assert found.params["sft"] | {"batch_size": 1, "accumulation": 4} == found.params["sft"]
    check_settings(overlay(read_params(ROOT / "params.yaml"), found.params), origin="advice")

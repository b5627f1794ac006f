"""Protects a trial of the lab: a method trained within its budget and measured, with a tiny model."""

import json
from pathlib import Path
from typing import Any

from tasks.lab.settings import Variant
from tasks.lab.trial import trial
from tasks.lab.trial.budget import best_rate
from tasks.lab.trial.variants import answered_wrongly
from tasks.methods.lora import LoraSettings
from tests.conftest import small_settings
from tests.tasks.conftest import example


def run(tiny_chain: list[Path], out: Path, method: str, **budget: Any) -> dict[str, Any]:
    sft = {
        "lora": LoraSettings(rank=4, learning_rate=0.05),
        "validation_rows": 2,
        "max_length": 480,
        "counterfactuals": {},
        "companions": 0,
        "batch_size": 4,
        "accumulation": 1,
    }
    values = small_settings(
        sft=sft,
        generation={"max_new_tokens": 8},
        evaluate={"base_max_new_tokens": 4},
        compare={
            "tokens": 1500,
            "minutes": None,
            "questions": 6,
            "rates": [1.0],
            "latency_rounds": 2,
            **budget,
        },
    )
    out.mkdir(parents=True, exist_ok=True)
    trial(
        *tiny_chain,
        report=out / "report.json",
        work=out / "work",
        method=method,
        seed=1,
        run=values.run,
        retrieval=values.retrieval,
        prompt=values.prompt,
        generation=values.generation,
        sft=values.sft,
        evaluate=values.evaluate,
        settings=values.compare,
    )
    found: dict[str, Any] = json.loads((out / "report.json").read_text(encoding="utf-8"))
    return found


def test_a_method_is_trained_within_its_budget_and_measured(tiny_chain: list[Path], tmp_path: Path) -> None:
    found = run(tiny_chain, tmp_path, "lora")
    assert 0 < found["tokens"] <= 1500
    assert len(found["scores"]) == len(found["answerable"]) == 6
    assert found["divergence"] > 0
    assert 0 < found["trainable"] < found["total"]
    assert found["bytes"] > 1000
    assert min(found["base_ms"], found["served_ms"], found["attached_ms"]) > 0


def test_what_stands_before_a_prompt_has_no_unmerged_form(tiny_chain: list[Path], tmp_path: Path) -> None:
    found = run(tiny_chain, tmp_path, "prompt")
    assert found["attached_ms"] is None
    assert found["served_ms"] > 0


def test_the_untuned_model_is_only_measured(tiny_chain: list[Path], tmp_path: Path) -> None:
    found = run(tiny_chain, tmp_path, "none")
    assert (found["retention"], found["divergence"]) == (1.0, 0.0)
    assert "trainable" not in found
    assert found["served_ms"] is None


def test_a_budget_of_time_becomes_one_of_tokens_that_is_kept(tiny_chain: list[Path], tmp_path: Path) -> None:
    run(tiny_chain, tmp_path, "lora", tokens=None, minutes=0.02)
    kept = json.loads((tmp_path / "work/budget.json").read_text(encoding="utf-8"))
    assert kept["tokens"] > 0


def test_a_variant_may_be_attached_and_not_trained(tiny_chain: list[Path], tmp_path: Path) -> None:
    found = run(tiny_chain, tmp_path, "unrecovered")
    assert "tokens" not in found
    assert found["retention"] != 1.0, "half of the weights are gone"


def test_a_variant_changes_the_settings_of_its_method(tiny_chain: list[Path], tmp_path: Path) -> None:
    variants = {"small": Variant.model_validate({"method": "lora", "sft": {"lora": {"rank": 1}}})}
    small = run(tiny_chain, tmp_path / "small", "small", variants=variants)
    assert 4 * small["trainable"] == run(tiny_chain, tmp_path / "lora", "lora")["trainable"]


def test_the_learning_rate_is_the_one_with_the_lowest_validation_loss(
    tiny_chain: list[Path], tmp_path: Path
) -> None:
    found = run(tiny_chain, tmp_path, "prompt", rates=[1.0, 1e-6])
    slow, fast = found["rates"]["3e-08"], found["rates"]["0.03"]
    assert fast < slow
    assert found["learning_rate"] == 0.03
    (tmp_path / "work/rates.json").write_text(json.dumps({"0.03": None, "3e-08": 1.0}))
    assert run(tiny_chain, tmp_path, "prompt", rates=[1.0, 1e-6])["learning_rate"] == 3e-8, "tried before"


def test_a_rate_that_went_astray_is_never_the_best() -> None:
    assert best_rate({"1": None, "0.1": 2.0, "0.01": 3.0}) == "0.1"


def test_wrong_answers_are_those_of_other_rows() -> None:
    rows = [example(number) for number in range(12)]
    changed = answered_wrongly(rows, 0.5, seed=1)
    wrong = [new for old, new in zip(rows, changed, strict=True) if new != old]
    assert len(wrong) == 6
    assert all((new.messages[-1].content == "`1.0`") is not new.answerable for new in wrong)
    assert [row.id for row in changed] == [row.id for row in rows]
    assert answered_wrongly(rows, 0.5, seed=1) == changed

"""Protects what a failed gate advises: settings by their names, and what was measured on the same rows."""

from typing import Any

from tasks.release.advice import advice

MEASURED: dict[str, Any] = {
    "none": {"score": 0.3, "retention": 1.0},
    "lora": {"score": 0.8, "retention": 0.5},
    "prefix": {"score": 0.4, "retention": 0.97},
    "adapter": {"score": 0.7, "retention": 0.81},
    "full": {"score": 0.82, "retention": 0.4},
    "noisy": {"score": 0.9, "retention": 0.9},
}


def said(arm: str = "sft", **changed: Any) -> str:
    known: dict[str, Any] = {"method": "lora", "rate": 0.002, "measured": MEASURED, "limit": 0.6}
    return advice(arm, **{**known, **changed})


def test_replay_rate_and_milder_methods_are_named() -> None:
    text = said()
    assert "raise sft.replay" in text
    assert "lower sft.lora.learning_rate (now 0.002)" in text
    assert "(threeply compare has measured: adapter kept 0.81 and scored 0.70, prefix kept 0.97" in text
    assert not any(f"{name} kept" in text for name in ("none", "full", "lora", "noisy"))


def test_without_figures_of_the_lab_the_way_to_them_is_named() -> None:
    assert "(threeply compare measures what each keeps on your rows)" in said(measured={})
    assert "none of those that threeply compare has measured keeps enough" in said(limit=0.99)


def test_what_is_not_known_is_left_open() -> None:
    assert "lower sft.<method>.learning_rate; train" in said(method="", rate=None)


def test_rlhf_is_helped_by_its_own_settings() -> None:
    text = said("rlhf")
    assert "rlhf.learning_rate" in text
    assert "sft.replay" not in text

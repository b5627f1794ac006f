"""Protects what is said where a method cannot be attached as asked: what is wrong, and what there is."""

import sys
from pathlib import Path
from typing import Any

import pytest

from deploy.errors import SettingsError
from tasks.errors import TrainingError
from tasks.methods import METHODS
from tests.tasks.methods.conftest import fresh, material


def attach(base: Path, name: str, **values: Any) -> None:
    method = METHODS[name]
    method.attach(fresh(base), method.settings(**values), material(base))


def test_a_rank_larger_than_a_matrix_is_refused_with_its_sides(tiny_base: Path) -> None:
    with pytest.raises(SettingsError, match=r"rank 99 is larger .* \(\d+ x \d+\); choose \d+ or less"):
        attach(tiny_base, "lora", rank=99)


@pytest.mark.parametrize(
    ("name", "values", "key"),
    [
        ("lora", {"rank": 4, "targets": ["q_prj"]}, "lora.targets"),
        ("adapter", {"targets": ["q_prj"]}, "adapter.targets"),
        ("hybrid", {"rank": 4, "lora": ["q_prj"]}, "hybrid.lora"),
    ],
)
def test_targets_that_match_nothing_are_told_with_those_that_exist(
    tiny_base: Path, name: str, values: dict[str, Any], key: str
) -> None:
    with pytest.raises(SettingsError, match=rf"sft\.{key}: .*q_prj; there are: down_proj, .*v_proj"):
        attach(tiny_base, name, **values)


def test_patterns_that_match_nothing_are_told_with_those_that_exist(tiny_base: Path) -> None:
    with pytest.raises(
        SettingsError, match=r"selective\.patterns: .*nothing_like_it; there are: .*layers\.N"
    ):
        attach(tiny_base, "selective", which="patterns", patterns=["q_proj", "nothing_like_it"])


def test_a_model_without_biases_is_told_that_its_norms_learn_alone(
    tiny_base: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    attach(tiny_base, "selective", which="norms_and_biases")
    assert "no biases: its norms learn alone" in capsys.readouterr().out


def test_what_matches_no_weight_at_all_is_refused(tiny_base: Path) -> None:
    """OLMo's norms have no weights, and it has no biases: nothing would learn."""
    from transformers import OlmoConfig, OlmoForCausalLM

    config = OlmoConfig(
        vocab_size=100, hidden_size=16, intermediate_size=16, num_hidden_layers=1, num_attention_heads=2
    )
    method = METHODS["selective"]
    with pytest.raises(SettingsError, match=r"norms_and_biases; there are: .*layers\.N"):
        method.attach(OlmoForCausalLM(config), method.settings(which="norms_and_biases"), material(tiny_base))


def test_qlora_without_its_extra_says_how_to_get_it(tiny_base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "bitsandbytes.nn", None)
    with pytest.raises(TrainingError, match="make extras"):
        attach(tiny_base, "qlora", rank=4)


def test_pruning_by_activations_needs_rows(tiny_base: Path) -> None:
    method = METHODS["pruning"]
    bare = material(tiny_base).__class__(tokenizer=material(tiny_base).tokenizer)
    with pytest.raises(TrainingError, match="needs rows to measure by"):
        method.attach(fresh(tiny_base), method.settings(), bare)


@pytest.mark.parametrize(
    ("name", "values", "words"),
    [
        ("selective", {"which": "patterns"}, "patterns goes with"),
        ("selective", {"which": "patterns", "patterns": ["("]}, "is no regular expression"),
        ("lora", {"variant": "pissa", "dropout": 0.1}, "takes no dropout"),
        ("hybrid", {"lora": ["q_proj"], "adapter": ["q_proj"]}, "give each module one"),
        ("hybrid", {"lora": None, "prefix": 0}, "two parts or more"),
    ],
)
def test_settings_that_contradict_each_other_are_refused(
    name: str, values: dict[str, Any], words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        METHODS[name].settings(**values)

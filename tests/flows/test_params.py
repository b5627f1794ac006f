"""Protects changes in params.yaml: the one value is another, and every other character is as it was."""

from pathlib import Path

import pytest

from deploy.errors import SettingsError
from flows.params import write_values
from tasks.settings import load_settings
from tests.conftest import ROOT


@pytest.fixture
def params(tmp_path: Path) -> Path:
    """The project's own params.yaml, to be changed."""
    path = tmp_path / "params.yaml"
    path.write_text((ROOT / "params.yaml").read_text(encoding="utf-8"), encoding="utf-8")
    return path


def test_values_change_and_nothing_else_of_the_file(params: Path) -> None:
    before = params.read_text(encoding="utf-8").splitlines()
    write_values(params, {"retrieval.dense_weight": 0.75, "index.chunk_words": 64, "sft.lora.rank": 8})
    settings = load_settings(params)
    assert (settings.retrieval.dense_weight, settings.index.chunk_words, settings.sft.lora.rank) == (
        0.75,
        64,
        8,
    )
    after = params.read_text(encoding="utf-8").splitlines()
    changed = [(old, new) for old, new in zip(before, after, strict=True) if old != new]
    assert len(changed) == 3
    for old, new in changed:
        assert old.split(":")[0] == new.split(":")[0]
        assert old.partition("#")[2] == new.partition("#")[2]


def test_the_same_values_leave_the_same_file(params: Path) -> None:
    before = params.read_text(encoding="utf-8")
    settings = load_settings(params)
    write_values(params, {"retrieval.top_k": settings.retrieval.top_k})
    assert params.read_text(encoding="utf-8") == before


def test_a_text_takes_the_place_of_a_text_alone(params: Path) -> None:
    write_values(params, {"retrieval.fusion": "ranks"})
    assert load_settings(params).retrieval.fusion == "ranks"
    with pytest.raises(SettingsError, match=r"retrieval.top_k in .* is no text"):
        write_values(params, {"retrieval.top_k": "many"})


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("retrieval.weight", "has no retrieval.weight to set"),
        ("retrieval.top_k.more", "has no retrieval.top_k.more to set"),
        ("retrieval", "retrieval in .* is no number"),
        ("prompt.template", "prompt.template in .* is no number"),
    ],
)
def test_what_cannot_be_set_is_named_and_nothing_is_written(params: Path, name: str, said: str) -> None:
    before = params.read_text(encoding="utf-8")
    with pytest.raises(SettingsError, match=said):
        write_values(params, {"retrieval.top_k": 5, name: 1})
    assert params.read_text(encoding="utf-8") == before

"""Protects the choice of the model that answers where a request names none, and what is said at once."""

from pathlib import Path
from typing import Any

import pytest

from deploy.errors import ServeError
from deploy.manifest import Manifest
from deploy.server.run import default_model, make_writable


def manifest(*models: str, partial: bool = False, **verdicts: str | None) -> Manifest:
    """The manifest of a bundle with `models` whose ledger has those verdicts; `not clear -` is a loss."""
    arms: dict[str, Any] = {
        name: {"difference": _difference(verdict) if verdict else None} for name, verdict in verdicts.items()
    }
    return Manifest(
        name="tiny",
        models=models,
        files={},
        versions={},
        lineage={},
        gate={},
        ledger={"arms": arms},
        partial=partial,
    )


def _difference(verdict: str) -> dict[str, Any]:
    mean = -0.02 if verdict in ("not clear -", "does not help") else 0.02
    return {"verdict": verdict.removesuffix(" -"), "mean": mean}


@pytest.mark.parametrize(
    ("verdicts", "expected"),
    [
        ({"base": None, "sft": "helps", "rlhf": "helps"}, "rlhf"),
        ({"base": None, "sft": "helps", "rlhf": "not clear"}, "rlhf"),
        ({"base": None, "sft": "helps", "rlhf": "not clear -"}, "sft"),
        ({"base": None, "sft": "not clear -", "rlhf": "not clear -"}, "base"),
        ({"base": None, "sft": "helps", "rlhf": "does not help"}, "sft"),
        ({"base": None, "sft": "does not help", "rlhf": "does not help"}, "base"),
        ({}, "rlhf"),
    ],
)
def test_auto_passes_over_layers_that_the_ledger_sees_bring_nothing(
    verdicts: dict[str, str | None], expected: str
) -> None:
    assert default_model("auto", manifest("base", "sft", "rlhf", **verdicts)) == expected


def test_auto_takes_what_a_bundle_without_rlhf_has() -> None:
    assert default_model("auto", manifest("base", "sft", base=None, sft="helps")) == "sft"


def test_a_model_that_the_bundle_lacks_is_named_with_those_it_has() -> None:
    assert default_model("sft", manifest("base", "sft")) == "sft"
    with pytest.raises(ServeError, match=r"serve\.default_model is rlhf, but tiny has only base, sft"):
        default_model("rlhf", manifest("base", "sft"))


@pytest.mark.parametrize("wanted", ["auto", "sft", "rlhf"])
def test_a_model_that_a_partial_bundle_lacks_is_stood_in_for_by_the_last_it_has(wanted: str) -> None:
    assert default_model(wanted, manifest("base", partial=True)) == "base"
    assert default_model(wanted, manifest("base", "sft", partial=True)) == "sft"
    assert default_model("base", manifest("base", "sft", partial=True)) == "base"


def test_a_folder_that_cannot_be_written_is_said_before_anything_is_loaded(tmp_path: Path) -> None:
    make_writable(tmp_path / "new/documents", setting="serve.documents")
    assert (tmp_path / "new/documents").is_dir()
    (tmp_path / "file").touch()
    for place in (tmp_path / "file/documents", tmp_path / "file", Path("/proc/self")):
        with pytest.raises(ServeError, match=rf"serve\.feedback {place} cannot be written: \w+"):
            make_writable(place, setting="serve.feedback")
    assert list((tmp_path / "new/documents").iterdir()) == []

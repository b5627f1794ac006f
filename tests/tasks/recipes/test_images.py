"""Protects the stages `vision` and `images`: methods adapt a vision transformer, or say why they cannot."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from deploy.errors import SettingsError
from tasks.errors import SourceError, TrainingError
from tasks.machine.device import Device
from tasks.methods import METHODS
from tasks.methods.method import Material
from tasks.recipes.heads.headed import read_headed
from tasks.recipes.heads.pictures import digits, folder_pictures
from tasks.recipes.heads.training import fit
from tasks.recipes.heads.vision import class_states, load_vit, new_vit
from tasks.recipes.images import images
from tasks.recipes.vision import vision
from tasks.rows.reports import read_report
from tests.conftest import small_settings
from tests.tasks.methods.conftest import CASES

SETTINGS = small_settings()
RUN = SETTINGS.run
CPU = Device(name="cpu", threads=1, precision="float32")
SMALL: dict[str, Any] = {"epochs": 1, "max_rows": 24, "batch_size": 8, "pretraining_epochs": 1}
ABLE = [
    case
    for case, (name, values) in CASES.items()
    if not METHODS[name].refusal("images", METHODS[name].settings(**values))
    and case not in ("selective patterns", "lora upper")  # they name modules that a language model has
]


@pytest.fixture(scope="module")
def vit(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random vision transformer of two layers for pictures of 8 x 8 points."""
    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("vit")
    new_vit(size=8, patch=4, width=16, layers=2).save_pretrained(folder)
    return folder


@pytest.mark.parametrize("case", ABLE)
def test_what_is_read_gives_the_states_that_were_trained(case: str, vit: Path, tmp_path: Path) -> None:
    name, values = CASES[case]
    seen = digits(range(5, 7), size=8, channels=1)
    kept: dict[str, Any] = {}

    def reader(*parts: Any) -> Any:
        kept["states"] = class_states(*parts)
        return kept["states"]

    torch.manual_seed(0)
    figures = fit(
        load_vit(vit, CPU),
        seen.labels[:16],
        reader=reader,
        batch=lambda places: seen.pixels[list(places)],
        lengths=[1] * 16,
        method=METHODS[name],
        chosen=METHODS[name].settings(**{**values, "learning_rate": 0.01}),
        material=Material(tokenizer=None),
        settings=SETTINGS.images.model_copy(update=SMALL),
        run=RUN,
        device=CPU,
        folder=tmp_path,
    )
    tuned = read_headed(load_vit(vit, CPU), tmp_path, class_states)
    with torch.no_grad():
        found, expected = tuned.states(seen.pixels[:9]), kept["states"](seen.pixels[:9])
        torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-4)
        untouched = class_states(load_vit(vit, CPU), None, None)(seen.pixels[:9])
    assert not torch.allclose(found, untouched, atol=1e-5)
    assert figures["trainable_parameters"] <= figures["total_parameters"]


def run_images(vit: Path, out: Path, method: str, **changed: Any) -> None:
    images(
        out,
        vit,
        model=out / "model",
        report=out / "report.json",
        method=method,
        run=RUN,
        settings=SETTINGS.images.model_copy(update={**SMALL, **changed}),
    )


def test_methods_that_stand_before_a_prompt_are_refused_with_the_reason(vit: Path, tmp_path: Path) -> None:
    for method in ("prefix", "prompt", "p_tuning_v1", "p_tuning_v2", "hybrid"):
        with pytest.raises(
            SettingsError, match=rf"images\.methods: {method} cannot adapt .*: a picture has no"
        ):
            run_images(vit, tmp_path, method)
    with pytest.raises(SettingsError, match="kind magnitude measures nothing"):
        run_images(vit, tmp_path, "pruning")


def test_the_tiny_model_is_trained_and_adapted_to_other_digits(tmp_path: Path) -> None:
    settings = SETTINGS.images.model_copy(update=SMALL)
    vision(tmp_path, model=tmp_path / "vit", report=tmp_path / "vision.json", run=RUN, settings=settings)
    assert read_report(tmp_path / "vision.json").figures["pretrained_on"] == ["0", "1", "2", "3", "4"]
    run_images(tmp_path / "vit", tmp_path, "lora")
    figures = read_report(tmp_path / "report.json").figures
    assert figures["labels"] == ["5", "6", "7", "8", "9"]
    assert sum(sum(row.values()) for row in figures["confusion"].values()) == figures["questions"]
    again = SETTINGS.images.model_copy(update={"model": tmp_path / "vit"})
    vision(tmp_path, model=tmp_path / "copy", report=tmp_path / "copy.json", run=RUN, settings=again)
    assert (tmp_path / "copy/model.safetensors").read_bytes() == (
        tmp_path / "vit/model.safetensors"
    ).read_bytes()


def test_folders_of_pictures_are_labels_and_what_is_no_picture_is_counted(vit: Path, tmp_path: Path) -> None:
    for label, shade in (("dark", 30), ("light", 220)):
        (tmp_path / "shades" / label).mkdir(parents=True)
        for number in range(4):
            points = np.full((12, 10, 3), shade + number, dtype=np.uint8)
            Image.fromarray(points).save(tmp_path / "shades" / label / f"{number}.png")
    (tmp_path / "shades/dark/notes.txt").write_text("no picture", encoding="utf-8")
    (tmp_path / "shades/dark/broken.png").write_bytes(b"no picture either")
    noise = np.random.default_rng(0).integers(0, 255, (300, 300, 3), dtype=np.uint8)
    Image.fromarray(noise).save(tmp_path / "shades/dark/damaged.png")
    content = (tmp_path / "shades/dark/damaged.png").read_bytes()
    second = content.index(b"IDAT", content.index(b"IDAT") + 4)
    damaged = content[:second] + b"\x00DAT" + content[second + 4 :]  # PIL calls that a fault of syntax
    (tmp_path / "shades/dark/damaged.png").write_bytes(damaged)
    found = folder_pictures(tmp_path / "shades", size=8, channels=1)
    assert found.pixels.shape == (8, 1, 8, 8)
    assert found.unreadable == 3
    run_images(vit, tmp_path, "lora", folder=tmp_path / "shades", model=vit)
    report = read_report(tmp_path / "report.json")
    assert report.figures["labels"] == ["dark", "light"]
    assert {row.outcome: row.count for row in report.rows} == {
        "in": 11,
        "trained": 4,
        "kept": 4,
        "dropped": 3,
    }


def test_what_cannot_be_used_is_named_with_the_next_step(vit: Path, tiny_base: Path, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"nowhere is not there; put one folder for each label"):
        run_images(vit, tmp_path, "lora", folder=tmp_path / "nowhere", model=vit)
    with pytest.raises(SourceError, match="holds no pictures"):
        run_images(vit, tmp_path, "lora", folder=tmp_path, model=vit)
    with pytest.raises(TrainingError, match=r"holds a model of type llama; images\.model takes vit"):
        load_vit(tiny_base, CPU)
    with pytest.raises(TrainingError, match="no vision transformer can be read"):
        load_vit(tmp_path, CPU)

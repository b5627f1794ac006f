"""Protects the pictures of training: equal curves give equal bytes, and an SVG fits into any page."""

import re
from pathlib import Path

import pytest

from tasks.errors import SourceError
from tasks.pages.curves import draw, read_curve


@pytest.fixture
def curve(tmp_path: Path) -> Path:
    path = tmp_path / "sft_curve.csv"
    path.write_text("step,tokens,loss,validation_loss\n1,50,3.5,\n2,100,2.5,2.4\n3,150,2.0,\n")
    return path


def test_empty_cells_are_left_out(curve: Path) -> None:
    columns = read_curve(curve, "step")
    assert columns["loss"] == [(1.0, 3.5), (2.0, 2.5), (3.0, 2.0)]
    assert columns["validation_loss"] == [(2.0, 2.4)]


def test_the_svg_takes_the_colour_of_the_page_and_reaches_nothing_outside_it(curve: Path) -> None:
    svg = draw(curve, "sft", form="svg").decode()
    assert svg.startswith('<svg role="img" aria-label="Curves of sft: loss"')
    assert "currentColor" in svg
    assert "#000000" not in svg
    assert "<style" not in svg
    assert "<metadata" not in svg
    assert ">validation</text>" in svg


def test_each_picture_stands_by_itself_and_all_text_has_the_colour_of_the_page(tmp_path: Path) -> None:
    path = tmp_path / "reward_curve.csv"
    path.write_text("step,loss,validation_accuracy\n1,0.7,0.5\n2,0.5,0.7\n")
    svgs = draw(path, "reward", form="svg").decode()
    assert re.findall(r'aria-label="([^"]*)"', svgs) == [
        "Curves of reward: loss",
        "Curves of reward: accuracy",
    ]
    ids = re.findall(r' id="([^"]*)"', svgs)
    assert len(ids) == len(set(ids))
    assert svgs.count("<text") == svgs.count('<text fill="currentColor"')


def test_pictures_repeat(curve: Path) -> None:
    assert draw(curve, "sft", form="svg") == draw(curve, "sft", form="svg")
    png = draw(curve, "sft", form="png")
    assert png.startswith(b"\x89PNG")
    assert png == draw(curve, "sft", form="png")


def test_columns_that_a_file_lacks_are_left_out(tmp_path: Path) -> None:
    path = tmp_path / "rlhf_curve.csv"
    path.write_text("update,reward\n1,0.5\n")
    svg = draw(path, "rlhf", form="svg").decode()
    assert ">reward</text>" in svg
    assert "entropy" not in svg
    path.write_text("update,other\n1,0.5\n")
    assert draw(path, "rlhf", form="svg") == b""


@pytest.mark.parametrize("text", ["step,loss\n1,much\n", "update,loss\n1,2\n"])
def test_a_damaged_curve_is_named(tmp_path: Path, text: str) -> None:
    path = tmp_path / "sft_curve.csv"
    path.write_text(text)
    with pytest.raises(SourceError, match=r"sft_curve\.csv cannot be read"):
        draw(path, "sft", form="svg")
    with pytest.raises(SourceError, match="missing"):
        draw(tmp_path / "missing.csv", "sft", form="svg")

"""Protects docs/recipes: every command on the pages is one, and every profile that they name is there."""

import re
import shlex
from pathlib import Path

import pytest

from flows.cli import parser
from flows.running import RECIPE_NEEDS
from tasks.machine.settings import overlay
from tasks.scoring import SCORERS
from tasks.settings import check_settings, read_params
from tasks.stages import RECIPES
from tests.conftest import ROOT

PAGES = sorted(path for path in (ROOT / "docs/recipes").glob("*.md") if path.stem != "README")
_BLOCK = re.compile(r"^```(?:sh)?\n(.*?)^```", re.MULTILINE | re.DOTALL)


def commands(page: Path) -> list[list[str]]:
    """The lines in plain code blocks that begin with `threeply`, as words, comments left out."""
    lines = [
        line for block in _BLOCK.findall(page.read_text(encoding="utf-8")) for line in block.splitlines()
    ]
    return [shlex.split(line, comments=True) for line in lines if line.startswith("threeply ")]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_commands_of_a_page_parse_and_their_profiles_fit(page: Path) -> None:
    found = commands(page)
    assert found, "a recipe has a command"
    for words in found:
        told = parser().parse_args(words[1:])
        if getattr(told, "profile", None):
            over = read_params(ROOT / "profiles" / f"{told.profile}.yaml")
            check_settings(overlay(read_params(ROOT / "params.yaml"), over), origin=told.profile)


def test_each_recipe_and_each_scorer_is_on_a_page() -> None:
    index = ROOT / "docs/recipes/README.md"
    text = "\n".join(page.read_text(encoding="utf-8") for page in [*PAGES, index])
    assert all(f"({page.name})" in index.read_text(encoding="utf-8") for page in PAGES)
    assert set(RECIPE_NEEDS) <= set(RECIPES)
    assert all(f"threeply recipe {name}" in text for name in RECIPE_NEEDS)
    assert all(f"`{name}`" in text for name in SCORERS)

"""Protects what docs/models.md says of each family; every family is tried again by some."""

import pytest

from benchmarks.models.__main__ import COLUMNS, PAGE, found_of
from benchmarks.models.families import FAMILIES
from tests.conftest import ROOT

TRIED = ("adapter", "lora", "prefix")  # modules, matrices and virtual tokens


@pytest.fixture(scope="module")
def told() -> dict[str, dict[str, str]]:
    """The table of the page by family and column, with the reasons in place of their numbers."""
    lines = (ROOT / PAGE).read_text(encoding="utf-8").splitlines()
    reasons = dict(line.split(". ", 1) for line in lines if line.partition(". ")[0].isdigit())
    cells = [[cell.strip(" `") for cell in line.strip("|").split("|")] for line in lines if "| `" in line]
    return {
        family: {column: reasons.get(cell, cell) for column, cell in zip(COLUMNS, row, strict=True)}
        for family, *row in cells
        if family != "family"
    }


def test_the_page_lists_all_families_and_nothing_wrong(told: dict[str, dict[str, str]]) -> None:
    assert list(told) == list(FAMILIES)
    assert not [cell for row in told.values() for cell in row.values() if cell.startswith("wrong")]


@pytest.mark.parametrize("family", FAMILIES)
def test_a_family_does_what_the_page_says(family: str, told: dict[str, dict[str, str]]) -> None:
    """Renew the page by `python -m benchmarks.models` after `make extras`, which brings qlora."""
    found = found_of(family, TRIED)
    assert found == {column: told[family][column] for column in found}

"""Protects the words about expectations: bounds, what was seen, and what to do."""

from typing import Any

import pytest
import yaml

from tasks.pages.numbers import DASH
from tasks.prepare.validate.words import (
    ACCEPTED,
    PAGE,
    PROFILE,
    QUARANTINE,
    advice,
    expected,
    failing,
    seen,
)
from tests.conftest import ROOT
from tests.tasks.prepare.validate.made import finding


@pytest.mark.parametrize(
    ("kind", "arguments", "told"),
    [
        ("expect_column_values_to_be_unique", {}, "different in each row"),
        ("expect_column_values_to_not_be_null", {}, "a value in each row"),
        ("expect_column_values_to_match_regex", {"regex": "^a$"}, "the form `^a$`"),
        ("expect_column_values_to_be_in_set", {"value_set": [True]}, "yes in each row"),
        ("expect_column_values_to_be_in_set", {"value_set": ["human", "judge"]}, "one of human, judge"),
        ("expect_column_values_to_be_between", {"max_value": 400}, "at most 400"),
        ("expect_table_row_count_to_be_between", {"min_value": 16000}, "at least 16,000"),
        ("expect_column_max_to_be_between", {"max_value": 0.25}, "at most 0.25"),
        ("expect_column_mean_to_be_between", {"min_value": 0.1, "max_value": 0.6}, "0.1 to 0.6"),
    ],
)
def test_a_bound_is_told_in_words(kind: str, arguments: dict[str, Any], told: str) -> None:
    assert expected(kind, arguments) == told


@pytest.mark.parametrize(
    ("changed", "told", "share"),
    [
        ({}, "11 to 412", "2 of 200 (1 %)"),
        ({"seen": (-1.0, -1.0), "failed": 1, "judged": 16599}, "-1", "1 of 16,599 (0.006 %)"),
        ({"seen": None}, DASH, "2 of 200 (1 %)"),
        ({"seen": None, "failed": 0}, DASH, "0 of 200"),
        ({"about_rows": False, "observed": 0.142857}, "0.143", DASH),
        ({"about_rows": False, "observed": None}, "no rows", DASH),
        ({"error": "no such column"}, "could not run", DASH),
    ],
)
def test_what_was_seen_is_told_with_its_share(changed: dict[str, Any], told: str, share: str) -> None:
    found = finding(**changed)
    assert (seen(found), failing(found)) == (told, share)


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({}, "with the reason `answer_length`"),
        ({"key": ""}, "Mend them in their source, and run again."),
        ({"severity": "warning"}, "Nothing is held back for it"),
        ({"about_rows": False}, "The gate stops the chain."),
        ({"about_rows": False, "remedy": "or do that"}, "in params.yaml; or do that, and run again."),
        ({"error": "no such column"}, "The gate lets none pass"),
    ],
)
def test_there_is_always_something_to_do(changed: dict[str, Any], told: str) -> None:
    assert told in advice(finding(**changed))


def test_the_files_that_are_named_are_those_of_the_graph() -> None:
    stages = yaml.safe_load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))["stages"]
    made = stages["validate"]
    assert made["outs"] == [QUARANTINE, {PROFILE: {"persist": True}}, PAGE]
    assert f" {ACCEPTED} --quarantine {QUARANTINE} --profile {PROFILE} --page {PAGE} " in made["cmd"]
    assert stages["gate"]["outs"] == [{ACCEPTED: {"persist": True}}]
    assert f" {PROFILE} --accepted {ACCEPTED} " in stages["gate"]["cmd"]

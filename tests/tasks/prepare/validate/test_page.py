"""Protects the page of the expectations: what failed stands on it in words, with counts, never as markup."""

from collections import Counter, defaultdict
from typing import Any

import pytest

from tasks.prepare.validate.findings import NAMED, counted
from tasks.prepare.validate.page import render
from tasks.prepare.validate.words import LONGEST
from tests.tasks.pages.checking import checked
from tests.tasks.prepare.validate.made import LONG, finding


def page(*names: str, **changed: Any) -> str:
    """The page about examples of these names, of which one expectation was not met."""
    examples = tuple((name, "mine.jsonl") for name in names[:NAMED])
    told = {"failed": len(names), "examples": examples, "more": max(len(names) - NAMED, 0)}
    found = finding(**{**told, **changed})
    held = Counter({found.name: len(names)} if not found.passed else {})
    counts = counted(
        {"example": len(names), "preference": 0, "document": 0}, defaultdict(Counter, example=held)
    )
    made = render([found], counts, compared="Compared with `those`.")
    checked(made)
    return made


def test_what_failed_is_told_with_its_words_its_value_its_count_and_what_to_do() -> None:
    made = page("q1", "q2")
    for text in (
        "0 of 1 expectations are met; 2 of 2 rows are held back.",
        "<h3>An answer has at most 10 words.</h3>",
        "critical</span> example &middot; <code>answer_words</code>",
        "<dt>expected</dt><dd>at most 10</dd>",
        "<dt>seen in rows that fail</dt><dd>11 to 412</dd>",
        "<dt>rows that fail</dt><dd>2 of 200 (1 %)</dd>",
        "<code>q1</code> <small>from mine.jsonl</small>",
        "<code>data/clean/quarantine.parquet</code> names each of them",
        "change <code>validate.max_answer_words</code> in params.yaml",
        "2 rows, of which 2 are held back.",
        "\u2717 no</td>",
    ):
        assert text in made


def test_of_many_rows_a_few_are_named_and_the_others_are_counted() -> None:
    made = page(*(f"q{number}" for number in range(12)))
    assert made.count("<small>from mine.jsonl</small>") == 5
    assert "<li>and 7 more</li>" in made
    assert "q5" not in made


def test_what_the_data_says_is_escaped_and_bounded() -> None:
    made = page(LONG, " ")
    assert "<script>" not in made
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in made
    assert "x" * LONGEST not in made
    assert "a row without an id" in made


def test_what_could_not_run_says_why_and_nothing_of_rows() -> None:
    made = page(error="no column <b>" + "y" * 400)
    assert "no column &lt;b&gt;yyy" in made
    assert "y" * LONGEST not in made
    assert "<dd>could not run</dd>" in made
    assert "<dt>rows that fail</dt>" not in made


def test_a_table_as_a_whole_shows_what_was_seen() -> None:
    made = page(about_rows=False, column="", expected="at least 50", observed=16000.0, seen=None)
    assert "<dt>seen</dt><dd>16,000</dd>" in made
    assert "<td>the table</td>" in made


def test_a_shift_says_what_has_changed_and_how_it_can_be_meant() -> None:
    made = page(
        about_rows=False,
        column="source_drift",
        expected="at most 0.25",
        observed=0.6,
        seen=None,
        key="validate.drift.critical",
        detail="faq<b>.jsonl 30 % then, 2 % now",
        remedy="if the change is meant, set `validate.drift.accept`",
    )
    assert "<p>faq&lt;b&gt;.jsonl 30 % then, 2 % now</p>" in made
    assert "change <code>validate.drift.critical</code> in params.yaml; if the change is meant, set" in made
    assert "Compared with <code>those</code>." in made


def test_where_all_is_met_the_page_says_so() -> None:
    made = page("q1", passed=True, failed=0, examples=(), seen=None)
    assert "Every expectation is met." in made
    assert "1 row, of which none are held back." in made
    assert "\u2717" not in made


@pytest.mark.parametrize("names", [(), ("q1",)])
def test_equal_findings_give_an_equal_page(names: tuple[str, ...]) -> None:
    assert page(*names) == page(*names)

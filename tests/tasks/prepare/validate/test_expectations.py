"""Protects each expectation: it fails on a row made wrong, which is held back, and weighs what params say."""

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import pytest

from deploy.abstention import ABSTENTION
from deploy.messages import Message
from tasks.prepare.validate.features import FEATURES
from tasks.prepare.validate_settings import ExpectationName
from tasks.rows.reports import Report, unbalanced
from tests.tasks.prepare.validate.judging import (
    ABSENT,
    DOCUMENT,
    EXAMPLE,
    GOOD,
    PREFERENCE,
    QUESTION,
    SETTINGS,
    answer,
    failed,
    judge,
)
from tests.tasks.rows.made import rows

# Great Expectations still uses what Python and pandas have announced to drop.
pytestmark = pytest.mark.filterwarnings(r"ignore:module 'sre_\w+' is deprecated:DeprecationWarning")


# For each critical expectation a row that fails it and no other critical one: kind of row, its name, the row.
BAD: list[tuple[str, str, Any]] = [
    ("example", "named", replace(EXAMPLE, id=" ")),
    ("example", "id_unique", replace(EXAMPLE, id="twice")),
    ("example", "grouped", replace(EXAMPLE, group="")),
    ("example", "roles", replace(EXAMPLE, messages=(*EXAMPLE.messages, QUESTION))),
    ("example", "spoken", replace(EXAMPLE, messages=(Message("user", " "), EXAMPLE.messages[1]))),
    ("example", "answer_length", answer(EXAMPLE, "word " * 11)),
    ("example", "answers", answer(EXAMPLE, ABSTENTION)),
    ("example", "abstains", answer(ABSENT, "`1.0`")),
    ("example", "evidence_known", replace(EXAMPLE, evidence=("d1", "d9"))),
    ("example", "quote_stands", replace(EXAMPLE, quote="C=2.0 :")),
    ("example", "withheld_known", replace(ABSENT, withheld=("d9",))),
    ("example", "evidence_open", replace(EXAMPLE, withheld=("d1",))),
    ("preference", "named", replace(PREFERENCE, id="")),
    ("preference", "id_unique", replace(PREFERENCE, id="twice")),
    ("preference", "grouped", replace(PREFERENCE, group=" ")),
    ("preference", "roles", replace(PREFERENCE, prompt=(QUESTION, Message("assistant", "`1.0`")))),
    ("preference", "spoken", replace(PREFERENCE, rejected="")),
    ("preference", "differs", replace(PREFERENCE, chosen="`2.0`", rejected=" `2.0`\n")),
    ("preference", "answer_length", replace(PREFERENCE, rejected="other " * 11)),
    ("preference", "margin", replace(PREFERENCE, margin=-1.0)),
    ("preference", "margin_known", replace(PREFERENCE, margin=float("nan"))),
    ("preference", "label", replace(PREFERENCE, label="guessed")),  # type: ignore[arg-type]
    ("preference", "evidence_known", replace(PREFERENCE, evidence=("d1", "d9"))),
    ("preference", "quote_stands", replace(PREFERENCE, evidence=())),
    ("preference", "withheld_known", replace(PREFERENCE, withheld=("d9",))),
    ("preference", "evidence_open", replace(PREFERENCE, withheld=("d1",))),
    ("preference", "agrees", replace(PREFERENCE, chosen="`2.0`", rejected=" `1.0`\n")),
    ("document", "named", replace(DOCUMENT, id="")),
    ("document", "id_unique", replace(DOCUMENT, id="twice")),
    ("document", "located", replace(DOCUMENT, uri="")),
    ("document", "titled", replace(DOCUMENT, title="")),
    ("document", "filled", replace(DOCUMENT, text="\n", sha256=hashlib.sha256(b"\n").hexdigest())),
    ("document", "sum", replace(DOCUMENT, sha256="0" * 64)),
]


@pytest.fixture(scope="module")
def settled(tmp_path_factory: pytest.TempPathFactory) -> Report:
    """The report on rows that are all good."""
    return judge(GOOD, tmp_path_factory.mktemp("good"))[1]


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[tuple[str, str], str], Report]:
    """The reasons by kind and id, and the report, for the good rows together with all bad ones."""
    made: dict[str, list[Any]] = {"example": [], "preference": [], "document": []}
    for kind, reason, bad in BAD:
        made[kind].append(bad if reason == "named" else replace(bad, id=f"bad {kind} {reason}"))
        if reason == "id_unique":
            made[kind].append(made[kind][-1])
    everything = rows(
        EXAMPLE,
        ABSENT,
        *made["example"],
        pairs=[PREFERENCE, *made["preference"]],
        documents=[DOCUMENT, *made["document"]],
    )
    held, report = judge(everything, tmp_path_factory.mktemp("bad"))
    assert len(held) == len({(row.kind, row.id) for row in held})
    return {(row.kind, row.id): row.reason for row in held}, report


@pytest.mark.parametrize(("kind", "reason", "bad"), BAD, ids=[f"{kind}-{reason}" for kind, reason, _ in BAD])
def test_a_bad_row_is_held_back_with_its_reason(
    judged: tuple[dict[tuple[str, str], str], Report], kind: str, reason: str, bad: Any
) -> None:
    reasons, report = judged
    assert reasons[kind, bad.id if reason == "named" else f"bad {kind} {reason}"] == reason
    assert f"{kind}.{reason}" in failed(report)


def test_good_rows_are_not_held_back_with_the_bad(judged: tuple[dict[tuple[str, str], str], Report]) -> None:
    reasons, report = judged
    assert len(reasons) == len(BAD)
    assert unbalanced(report.rows) == []


def test_every_critical_expectation_about_rows_has_a_row_that_fails_it(settled: Report) -> None:
    tables = settled.figures["expectations"]
    critical = {
        (table, name)
        for table, told in tables.items()
        for name in told
        if told[name]["about_rows"] and told[name]["severity"] == "critical"
    }
    assert {(kind, reason) for kind, reason, _ in BAD} == critical


def test_an_id_that_two_kinds_share_is_a_warning_for_both(tmp_path: Path) -> None:
    given = replace(GOOD, preferences=(PREFERENCE, replace(PREFERENCE, id="e1", chosen="`3.0`")))
    held, report = judge(given, tmp_path)
    assert held == []
    assert failed(report) == {"example.id_apart", "preference.id_apart"}


def test_a_group_with_most_of_the_examples_is_a_warning(tmp_path: Path) -> None:
    held, report = judge(GOOD, tmp_path, SETTINGS.model_copy(update={"max_group_share": 0.5}))
    assert (held, failed(report)) == ([], {"example.group_share"})
    told = report.figures["expectations"]["example"]["group_share"]
    assert (told["observed"], told["key"]) == (1.0, "validate.max_group_share")


def test_where_a_document_is_withheld_another_answer_is_right(tmp_path: Path) -> None:
    hidden = replace(PREFERENCE, withheld=("d2",), evidence=(), quote="", chosen=ABSTENTION, rejected="`1.0`")
    other = replace(DOCUMENT, id="d2")
    given = replace(GOOD, preferences=(hidden,), documents=(DOCUMENT, other))
    assert judge(given, tmp_path)[0] == []


def test_an_expectation_weighs_what_params_say(tmp_path: Path) -> None:
    lighter = SETTINGS.model_copy(
        update={
            "severity": {"quote_stands": "warning", "unanswerable_share": "critical"},
            "unanswerable_between": [0.6, 0.7],
        }
    )
    held, report = judge(
        replace(GOOD, examples=(*GOOD.examples, replace(EXAMPLE, id="e3", quote="C=2.0"))), tmp_path, lighter
    )
    assert held == []
    assert failed(report) == {"example.quote_stands", "example.unanswerable_share"}
    told = report.figures["expectations"]["example"]
    assert told["quote_stands"]["severity"] == "warning"
    assert told["unanswerable_share"]["severity"] == "critical"


def test_the_names_that_params_may_weigh_are_those_of_the_suites(settled: Report) -> None:
    tables = settled.figures["expectations"]
    kinds = ("drift", "creep")
    compared = {"language", *(name for features in FEATURES.values() for name in features)}
    drifts = {f"{name}_{kind}" for name in compared for kind in kinds}
    names = {name for told in tables.values() for name in told} | drifts | {"rows_drift"}
    assert set(get_args(ExpectationName)) == names


def test_expectations_about_tables_hold_no_row_back(tmp_path: Path) -> None:
    strict = SETTINGS.model_copy(
        update={
            "min_examples": 3,
            "min_documents": 2,
            "min_preferences": 2,
            "unanswerable_between": [0.6, 0.7],
        }
    )
    held, report = judge(GOOD, tmp_path, strict)
    assert held == []
    assert failed(report) == {
        "example.enough",
        "preference.enough",
        "document.enough",
        "example.unanswerable_share",
    }
    told = report.figures["expectations"]["example"]["unanswerable_share"]
    assert (told["severity"], told["observed"], told["key"]) == (
        "warning",
        0.5,
        "validate.unanswerable_between",
    )

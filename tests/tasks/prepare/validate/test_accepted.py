"""Protects the comparison of a run with the rows accepted last: what it says, stops and lets pass."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tasks.errors import SourceError
from tasks.prepare.validate.drift import FIRST, OTHER_VERSION
from tasks.prepare.validate.profile import read_profile
from tasks.rows.records import Rows
from tests.tasks.pages.checking import checked
from tests.tasks.prepare.validate.judging import CLEAN, DOCUMENT, GOOD, SETTINGS, failed, judge
from tests.tasks.prepare.validate.made import DRIFT
from tests.tasks.rows.made import ASKED, default_asked, rows

# Great Expectations still uses what Python and pandas have announced to drop.
pytestmark = pytest.mark.filterwarnings(r"ignore:module 'sre_\w+' is deprecated:DeprecationWarning")


def many(count: int, **changed: Any) -> Rows:
    """So many examples about the document, each in a group of its own."""
    made = (default_asked(f"e{n}", f"{ASKED} ({n})", document="d1", group=f"g{n}") for n in range(count))
    return rows(*(replace(row, **changed) for row in made), documents=[DOCUMENT])


def test_the_first_run_has_nothing_to_compare_with_and_says_so(tmp_path: Path) -> None:
    _, report = judge(GOOD, tmp_path)
    assert report.figures["compared"] == FIRST
    assert FIRST in (tmp_path / "page.html").read_text(encoding="utf-8")
    names = {name for told in report.figures["expectations"].values() for name in told}
    assert not any(name.endswith("_drift") for name in names)


def test_rows_are_compared_with_those_accepted_last(tmp_path: Path) -> None:
    judge(many(80), tmp_path / "then")
    accepted = tmp_path / "then/profile.json"
    _, same = judge(many(80), tmp_path / "same", accepted=accepted)
    assert {name for name in failed(same) if "drift" in name} == set()
    assert "example.source_drift" not in failed(same)
    then, now = read_profile(accepted), read_profile(tmp_path / "same/profile.json")
    assert then is not None
    assert now is not None
    assert (then.first, now.first) == (None, then.tables), "the next run is compared with both"
    _, other = judge(many(80, source="other.jsonl"), tmp_path / "other", accepted=accepted)
    told = other.figures["expectations"]["example"]["source_drift"]
    assert (told["passed"], told["severity"], told["key"]) == (False, "critical", "validate.drift.critical")
    assert told["detail"] == "other.jsonl 0 % then, 100 % now, test 100 % then, 0 % now"
    assert f'`validate.drift.accept: "{other.figures["fingerprint"]}"`' in told["advice"]
    page = (tmp_path / "other/page.html").read_text(encoding="utf-8")
    checked(page)
    assert "other.jsonl 0 % then, 100 % now" in page
    few = judge(many(30), tmp_path / "few", accepted=accepted)[1]
    assert "example.rows_drift" in failed(few)


@pytest.mark.parametrize("how", ["accepted by name", "collected otherwise", "weighed"])
def test_what_is_meant_is_a_warning(tmp_path: Path, how: str) -> None:
    judge(many(80), tmp_path / "then")
    accepted = tmp_path / "then/profile.json"
    given = many(80, source="other.jsonl")
    settings, clean = SETTINGS, CLEAN
    if how == "accepted by name":
        _, first = judge(given, tmp_path / "first", accepted=accepted)
        drift = DRIFT.model_copy(update={"accept": first.figures["fingerprint"]})
        settings = SETTINGS.model_copy(update={"drift": drift})
    elif how == "weighed":
        settings = SETTINGS.model_copy(update={"severity": {"source_drift": "warning"}})
    else:
        clean = CLEAN.model_copy(update={"max_characters": 99})
    _, report = judge(given, tmp_path / "now", settings, accepted=accepted, clean=clean)
    told = report.figures["expectations"]["example"]["source_drift"]
    assert (told["passed"], told["severity"]) == (False, "warning")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "cannot be read: Invalid JSON: EOF"),
        ("[1]", "cannot be read: Input should be"),
        ('{"version": 1}', "cannot be read: made_with"),
        (None, "impossible counts for example source"),
    ],
)
def test_a_damaged_profile_is_told_with_what_to_do(tmp_path: Path, text: str | None, message: str) -> None:
    judge(GOOD, tmp_path / "then")
    accepted = tmp_path / "then/profile.json"
    if text is None:
        text = accepted.read_text().replace('"test": 2.0', '"test": -2.0')
    accepted.write_text(text)
    with pytest.raises(SourceError, match=message) as caught:
        judge(GOOD, tmp_path / "now", accepted=accepted)
    assert f"delete {accepted}, and the next run has nothing to compare with" in str(caught.value)


def test_a_profile_of_another_version_is_no_measure(tmp_path: Path) -> None:
    accepted = tmp_path / "accepted.json"
    accepted.write_text('{"version": 0, "other": []}')
    _, report = judge(GOOD, tmp_path, accepted=accepted)
    assert report.figures["compared"] == OTHER_VERSION
    assert failed(report) == set()

"""Protects the benchmark of documents sent to a server: it times what is found, and sees what is not."""

from pathlib import Path

import pytest

from benchmarks.live_http import changed, lines, page, summary
from deploy.documents.live import LiveKnowledge
from tests.deploy.documents.made import live
from tests.deploy.server.conftest import serving
from tests.deploy.server.knowing import over


def test_what_is_sent_is_found_and_what_is_deleted_is_not(tmp_path: Path) -> None:
    with serving(over(live(tmp_path))) as address:
        course = changed(address, documents=3, words=60)
    told = summary(course)
    assert (told["documents"], told["wrong"]) == (3, 0)
    assert 0.0 < told["kept_p50_ms"] < told["found_p50_ms"] <= told["found_p95_ms"]
    assert lines(told)[-1] == "0 of 6 searches wrong"


def test_a_document_that_stays_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(LiveKnowledge, "delete", lambda *_: True)
    with serving(over(live(tmp_path))) as address:
        course = changed(address, documents=1, words=20)
    assert course.wrong == ["live/0.md was deleted, and found"]


def test_a_page_has_about_as_many_words_as_are_asked_for() -> None:
    assert 450 < len(page(7, 500).split()) < 550
    assert page(7, 500).count("## Section") == 5
    assert "zq7v0w" in page(7, 1)

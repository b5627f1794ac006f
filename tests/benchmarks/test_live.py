"""Protects the benchmark of live documents: it counts, and it sees a search that is wrong."""

from pathlib import Path

import pytest

from benchmarks.live import mixed, summary
from deploy.documents.live import LiveKnowledge
from deploy.knowledge.hits import Hit
from tests.deploy.documents.made import live


def test_changes_beside_searches_leave_none_wrong(tmp_path: Path) -> None:
    course = mixed(live(tmp_path), changes=300, documents=20, searchers=2)
    told = summary(course)
    assert told["changes"] == 300
    assert told["checked"] > 10
    assert course.wrong == []


def test_a_search_that_finds_what_was_deleted_is_seen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    knowledge = live(tmp_path)
    monkeypatch.setattr(LiveKnowledge, "delete", lambda self, name: True)
    course = mixed(knowledge, changes=300, documents=20, searchers=2)
    assert any("was deleted, and found" in told for told in course.wrong)


def test_a_search_that_misses_what_is_there_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def nothing(_: LiveKnowledge, queries: list[str], **__: object) -> list[list[Hit]]:
        return [[] for _ in queries]

    monkeypatch.setattr(LiveKnowledge, "search", nothing)
    course = mixed(live(tmp_path), changes=100, documents=20, searchers=2)
    assert any("was not found first" in told for told in course.wrong)

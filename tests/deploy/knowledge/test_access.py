"""Protects who sees which documents of a store: closed rows, and the file that says so."""

import sqlite3
from pathlib import Path

import pytest

from deploy.errors import KnowledgeError
from deploy.knowledge.access import Access
from deploy.knowledge.database import TRUTH
from deploy.knowledge.store import KnowledgeStore
from tests.contents import hashes
from tests.deploy.documents.made import SETTINGS, STORED, store, text
from tests.deploy.knowledge.hashed import HashedEmbedder

CLOSED = text("plan", "The aquarium opens in May.", "board", "staff")


def test_the_rows_of_closed_documents_are_left_out_and_made_once() -> None:
    ranges = {"one": (0, 2), "two": (2, 3), "three": (3, 5)}
    access = Access({"one": ("a",), "three": ("a", "b"), "empty": ("c",)}, ranges, total=5)
    rows = {held: access.hidden(held) for held in (("a",), ("b",), (), ("a", "b", "c"))}
    found = {held: None if hidden is None else hidden.rows.tolist() for held, hidden in rows.items()}
    assert found == {("a",): None, ("b",): [0, 1], (): [0, 1, 3, 4], ("a", "b", "c"): None}
    assert access.hidden(None) is None
    assert access.hidden({"b"}) is rows["b",]
    assert access.closed(["a"]) == {"empty"}
    assert not access.is_open("one", ["b"])
    assert access.is_open("unknown", [])


def test_what_is_closed_and_what_is_left_out_are_left_out_together(tmp_path: Path) -> None:
    knowledge = store(tmp_path / "store", [*STORED, CLOSED])
    [first, end] = knowledge.ranges["plan"]
    hidden = knowledge.hide(["travel"], [])
    assert hidden is not None
    assert hidden.rows.tolist() == sorted([*range(first, end), *range(*knowledge.ranges["travel"])])
    seen = knowledge.hide(["travel"], ["staff"])
    assert seen is not None
    assert seen.rows.tolist() == [*range(*knowledge.ranges["travel"])]
    assert knowledge.hide([], ["staff"]) is knowledge.hide([]) is None


def test_a_store_keeps_tags_and_is_without_them_the_file_that_it_was(tmp_path: Path) -> None:
    assert store(tmp_path / "tagged", [*STORED, CLOSED]).access.tags == {"plan": ("board", "staff")}
    untagged = [*STORED, text("plan", "The aquarium opens in May.")]
    assert store(tmp_path / "open", untagged).access.tags == {}
    with sqlite3.connect(tmp_path / "open" / TRUTH) as file:
        assert file.execute("SELECT value FROM facts WHERE name = 'format'").fetchall() == [("1",)]
        assert file.execute("SELECT name FROM sqlite_master WHERE name = 'tags'").fetchall() == []
    store(tmp_path / "again", untagged)
    assert hashes(tmp_path / "again") == hashes(tmp_path / "open")


def test_a_version_that_knows_of_no_tags_refuses_a_store_that_has_some(tmp_path: Path) -> None:
    """Such a version reads format 1 alone; it would show everything to everybody."""
    store(tmp_path / "store", [CLOSED])
    with sqlite3.connect(tmp_path / "store" / TRUTH) as file:
        assert file.execute("SELECT value FROM facts WHERE name = 'format'").fetchall() == [("2",)]


def test_a_format_of_later_is_refused_with_what_to_do(tmp_path: Path) -> None:
    store(tmp_path / "store").close()
    with sqlite3.connect(tmp_path / "store" / TRUTH) as file:
        file.execute("UPDATE facts SET value = '3' WHERE name = 'format'")
    file.close()
    with pytest.raises(
        KnowledgeError, match="has format 3, this version reads 1 and 2; run the stage `index`"
    ):
        KnowledgeStore(tmp_path / "store", HashedEmbedder(), SETTINGS)

"""Protects the tags of sources: each of their documents has them, and nothing is read again for them."""

import json
from pathlib import Path
from typing import Any

import pytest

from tasks.errors import SourceError
from tasks.prepare.collect_settings import CollectSettings
from tasks.rows.records import Document
from tasks.rows.reports import read_report
from tasks.rows.tables import read_rows
from tests.tasks.prepare.collect.running import collected


def sources(folder: Path, **tags: list[str]) -> CollectSettings:
    """A folder, a file of documents and a file of questions, with tags by the names of their files."""
    place = folder / "sources"
    entries: list[dict[str, Any]] = [
        {"kind": "documents", "path": str(place / "manual")},
        {"kind": "file", "path": str(place / "pages.jsonl")},
        {"kind": "file", "path": str(place / "asked.jsonl")},
    ]
    for entry in entries:
        if given := tags.get(Path(entry["path"]).stem):
            entry["tags"] = given
    return CollectSettings.model_validate({"sources": entries})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "sources/manual").mkdir(parents=True)
    (tmp_path / "sources/manual/plan.md").write_text("# Plan\n\nThe aquarium opens in May.")
    (tmp_path / "sources/manual/open.txt").write_text("The zoo opens at eight.")
    page = {"id": "menu", "title": "Menu", "text": "Seeds.", "metadata": {"tags": "none"}}
    (tmp_path / "sources/pages.jsonl").write_text(json.dumps(page))
    asked = {"question": "When?", "answer": "In May.", "evidence": ["menu"]}
    (tmp_path / "sources/asked.jsonl").write_text(json.dumps(asked))
    return tmp_path


def found(folder: Path) -> dict[str, Document]:
    return {row.title: row for row in read_rows(folder / "rows").documents}


def test_every_document_of_a_source_has_its_tags_and_no_other_has(folder: Path) -> None:
    collected(folder, sources(folder, manual=["staff", "board", "staff"]))
    rows = found(folder)
    assert rows["Plan"].tags == rows["open"].tags == ("board", "staff")
    assert rows["Menu"].tags == ()
    told = read_report(folder / "report.json").figures["sources"]
    assert [source.get("tags") for source in told] == [["board", "staff"], None, None]


def test_other_tags_read_nothing_anew_and_change_nothing_else(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    collected(folder, sources(folder))
    before = read_rows(folder / "rows")
    capsys.readouterr()
    collected(folder, sources(folder, manual=["staff"], pages=["board"]))
    assert "0 of 4 files read, 4 as before" in capsys.readouterr().out
    assert {title: row.tags for title, row in found(folder).items()} == {
        "Plan": ("staff",), "open": ("staff",), "Menu": ("board",),
    }  # fmt: skip
    collected(folder, sources(folder))
    assert read_rows(folder / "rows") == before


def test_questions_have_no_tags(folder: Path) -> None:
    with pytest.raises(SourceError, match=r"asked\.jsonl holds examples, and tags say who sees documents"):
        collected(folder, sources(folder, asked=["staff"]))


@pytest.mark.parametrize("tag", ["", "Staff", "a b", "a\n", "-a", "a" * 41])
def test_what_is_no_tag_is_refused(folder: Path, tag: str) -> None:
    with pytest.raises(ValueError, match="it should be a tag of a-z"):
        sources(folder, manual=[tag])

"""Protects the parts of `collect`: what was kept gives the rows that reading gives; only changes are read."""

import json
import os
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.errors import SourceError
from tasks.prepare.collect import files, folders
from tasks.prepare.collect.parts import Part, Parts, parts_in
from tasks.prepare.collect.pieces import Piece, Told
from tasks.prepare.collect.readers import Fault, Record
from tasks.prepare.collect_settings import (
    CollectSettings,
    DatasetSource,
    FileSource,
    FolderSource,
    Source,
    SqlSource,
)
from tasks.rows.records import Dropped, Row
from tasks.rows.tables import FILES
from tests.tasks.prepare.collect.running import collected
from tests.tasks.rows.made import document, question

OUTPUTS = ("rows/examples.parquet", "rows/preferences.parquet", "rows/documents.parquet", "dropped.parquet",
           "report.json")  # fmt: skip
NAMES = ("a.jsonl", "b.jsonl", "manual/c.md", "manual/d.txt")
LINES = st.lists(
    st.sampled_from(
        [
            '{"prompt": "Why?", "completion": "Because.", "evidence": "file:sources/manual/c.md"}',
            '{"prompt": "Who?", "completion": "She.", "held_out": "own"}',
            '{"prompt": "When?", "completion": "Now."}',
            "broken",
        ]
    ),
    min_size=1,
    max_size=4,
)
CHANGES = st.dictionaries(st.sampled_from(NAMES), LINES, max_size=3)


def write(folder: Path, lines: dict[str, list[str]]) -> list[Source]:
    """Write files with these lines, and give the sources that read them."""
    for name, said in lines.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("\n".join(said))
    named: list[Source] = [
        FileSource(kind="file", path=folder / name) for name in NAMES[:2] if (folder / name).exists()
    ]
    return [*named, FolderSource(kind="documents", path=folder / "manual")]


def outputs(place: Path, named: list[Source]) -> list[bytes] | str:
    """What `collect` writes in `place`, or why it does not."""
    try:
        collected(place, CollectSettings(sources=named))
    except SourceError as error:
        return str(error)
    return [(place / name).read_bytes() for name in OUTPUTS]


@settings(max_examples=8)
@given(rounds=st.lists(CHANGES, min_size=1, max_size=2))
def test_results_do_not_depend_on_what_was_kept(rounds: list[dict[str, list[str]]]) -> None:
    with tempfile.TemporaryDirectory() as place:
        sources, kept, anew = (Path(place, name) for name in ("sources", "kept", "anew"))
        everything = {name: ["# A text"] if "manual" in name else ["broken"] for name in NAMES}
        everything["a.jsonl"] = ['{"prompt": "What?", "completion": "This."}']
        for number, changes in enumerate([everything, *rounds]):
            named = write(sources, changes)
            assert outputs(kept, named) == outputs(anew / str(number), named)


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The files that are read to the end, by name."""
    names: list[str] = []

    def noted(path: Path) -> Iterator[Record | Fault]:
        yield from original(path)
        names.append(path.name)

    original = files.read_records
    monkeypatch.setattr(files, "read_records", noted)
    return names


LINE = '{"prompt": "Why %s?", "completion": "Because."}\n'


def faq(folder: Path, *names: str, count: int = 30) -> list[Source]:
    """Files with more lines than decide on their shape, and the sources that read them."""
    folder.mkdir(exist_ok=True)
    for name in names:
        (folder / name).write_text("".join(LINE % f"{name} {number}" for number in range(count)))
    return [FileSource(kind="file", path=folder / name) for name in names]


def test_only_what_is_new_or_changed_is_read(
    tmp_path: Path, read: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    def run(named: list[Source]) -> tuple[list[str], str]:
        read.clear()
        collected(tmp_path, CollectSettings(sources=named))
        told = [line for line in capsys.readouterr().out.splitlines() if "files read" in line]
        return sorted(read), told[0]

    named = faq(tmp_path / "sources", "a.jsonl", "b.jsonl", "c.jsonl")
    assert run(named) == (["a.jsonl", "b.jsonl", "c.jsonl"], "collect: 3 of 3 files read")
    assert run(named) == ([], "collect: 0 of 3 files read, 3 as before")
    (tmp_path / "sources/b.jsonl").write_text((LINE % "new") * 25)
    changed = [named[1], *faq(tmp_path / "sources", "d.jsonl")]
    assert run(changed) == (["b.jsonl", "d.jsonl"], "collect: 2 of 2 files read, 2 gone")
    other = FileSource(kind="file", path=tmp_path / "sources/b.jsonl", keep=["completion"])
    assert run([other]) == (["b.jsonl"], "collect: 1 of 1 files read, 1 gone")
    described = other.model_copy(update={"licence": "CC0-1.0"})
    assert run([described]) == ([], "collect: 0 of 1 files read, 1 as before")


def test_of_a_folder_and_of_a_dataset_each_file_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    manual, data = tmp_path / "sources/manual", tmp_path / "sources/data"
    for folder in (manual, data):
        folder.mkdir(parents=True)
    for number in range(4):
        (manual / f"{number}.md").write_text(f"# Page {number}\n\nText.")
        faq(data, f"train-{number}.jsonl")
    named = [
        FolderSource(kind="documents", path=manual),
        DatasetSource(kind="dataset", path=data, split="train"),
    ]
    collected(tmp_path, CollectSettings(sources=named))
    assert "collect: 8 of 8 files read\n" in capsys.readouterr().out
    (manual / "1.md").write_text("# Page one")
    (manual / "2.md").unlink()
    (data / "train-3.jsonl").unlink()
    collected(tmp_path, CollectSettings(sources=named))
    assert "collect: 1 of 6 files read, 5 as before, 2 gone\n" in capsys.readouterr().out
    monkeypatch.setattr(
        folders, "_documents", piece
    )  # of a folder that has not changed no file is looked into
    collected(tmp_path, CollectSettings(sources=named))
    assert "collect: 0 of 6 files read, 6 as before\n" in capsys.readouterr().out


def test_of_a_database_it_is_told_how_many_rows_have_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "tickets.db"
    monkeypatch.setenv("TICKETS", f"sqlite:///{path}")
    source = SqlSource(kind="sql", name="tickets", url_env="TICKETS", query="SELECT * FROM tickets")

    def run(*statements: str) -> str:
        connection = sqlite3.connect(path)
        for statement in statements:
            connection.execute(statement)
        connection.commit()
        connection.close()
        collected(tmp_path, CollectSettings(sources=[source]))
        return capsys.readouterr().out

    first = run(
        "CREATE TABLE tickets (id INTEGER, question TEXT, answer TEXT)",
        *(f"INSERT INTO tickets VALUES ({n}, 'Why {n}?', 'So.')" for n in range(30)),  # numbers
    )
    assert "as before" not in first
    told = run("DELETE FROM tickets WHERE id < 2", "UPDATE tickets SET answer = 'No.' WHERE id = 7")
    assert "sql:tickets: 1 rows new or changed, 3 gone or changed, 27 as before" in told


def piece(path: Path, rows: Callable[[Told], Any], **changed: Any) -> Piece:
    return Piece(name=path.name, marks=("test",), rows=rows, path=path, files=[path.name], **changed)


def rows_of(part: Part) -> list[str]:
    return [name for table in part.tables("example") for name in table["id"].to_pylist()]


def test_a_run_that_is_killed_keeps_what_it_has_finished(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text("a")

    def killed(_: Told) -> Iterator[Row | Dropped]:
        yield question("half")
        raise KeyboardInterrupt

    def run() -> None:
        with parts_in(tmp_path / "cache", tmp_path, "1") as parts:
            parts.part(piece(path, lambda _: [question("whole")]))
            parts.part(Piece(name="b", marks=("b",), rows=killed))

    with pytest.raises(KeyboardInterrupt):
        run()
    with parts_in(tmp_path / "cache", tmp_path, "1") as parts:
        assert rows_of(parts.part(piece(path, killed))) == ["whole"]
        assert rows_of(parts.part(Piece(name="b", marks=("b",), rows=lambda _: [question("b")]))) == ["b"]


@pytest.mark.parametrize("damage", [Path.unlink, lambda path: path.write_bytes(b"PAR1"), lambda path: None])
def test_a_part_that_is_not_whole_is_read_again(tmp_path: Path, damage: Callable[[Path], object]) -> None:
    """As `threeply rows erase` leaves it, which deletes files with words of a row."""
    path = tmp_path / "a.jsonl"
    path.write_text("a")
    made = [question("a"), document("d"), question("b")]
    with parts_in(tmp_path / "cache", tmp_path, "1") as parts:
        part = parts.part(piece(path, lambda _: made))
        damage(part.folder / FILES[type(made[0])])
    with parts_in(tmp_path / "cache", tmp_path, "1") as parts:
        assert rows_of(parts.part(piece(path, lambda _: made))) == ["a", "b"]


def test_a_file_that_changes_while_it_is_read_gives_nothing(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text("a")

    def rows(_: Told) -> Iterator[Row]:
        path.write_text("other")
        yield question("other")

    with parts_in(tmp_path / "cache", tmp_path, "1") as parts:
        with pytest.raises(SourceError, match="has changed while it was read"):
            parts.part(piece(path, rows))
        path.write_text("a")
        os.utime(path, (1, 1))
        assert rows_of(parts.part(piece(path, lambda _: [question("a")]))) == ["a"]


def kept(cache: Path) -> int:
    """How many parts lie there."""
    return len([path for path in (cache / "parts").iterdir() if path.name != "lists"])


def test_parts_that_no_project_uses_any_more_are_removed(tmp_path: Path) -> None:
    cache, here, there = (tmp_path / name for name in ("cache", "here", "there"))
    for place in (here, there):
        place.mkdir()

    def run(place: Path, *names: str, version: str = "1") -> None:
        with parts_in(cache, place, version) as parts:
            for name in names:
                parts.part(Piece(name=name, marks=(name,), rows=lambda _: [question("a")]))

    run(here, "a", "b")
    run(there, "b", "c")
    assert kept(cache) == 3
    run(here, "a")
    assert kept(cache) == 3  # b and c are those of the other project
    run(here, "a", version="2")
    assert kept(cache) == 3  # that of the other code is gone
    there.rmdir()
    run(here, "a", version="2")
    assert kept(cache) == 1


def test_while_another_run_is_under_way_nothing_is_removed(tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    old = Piece(name="old", marks=("old",), rows=lambda _: [question("a")])
    with parts_in(cache, tmp_path / "there", "1") as others:
        part = others.part(old)
        with parts_in(cache, tmp_path, "1") as parts:
            parts.part(Piece(name="new", marks=("new",), rows=lambda _: []))
        assert rows_of(part) == ["a"]


def test_a_list_that_is_damaged_is_as_none(tmp_path: Path) -> None:
    with parts_in(tmp_path / "cache", tmp_path, "1") as parts:
        first = parts.part(Piece(name="a", marks=("a",), rows=lambda _: [question("a")]))
    (path,) = (tmp_path / "cache/parts/lists").glob("*.json")
    path.write_text(json.dumps({"parts": 1}))
    with parts_in(tmp_path / "cache", tmp_path, "1") as again:
        assert isinstance(again, Parts)
        assert again.part(Piece(name="a", marks=("a",), rows=lambda _: [])).folder == first.folder

"""Protects folders of documents: one document a file, titled as a reader would, and nothing passed over."""

import tempfile
from pathlib import Path

import pytest

from tasks.errors import SourceError
from tasks.prepare.collect.folders import TOLD, read_folder
from tasks.prepare.collect.identifiers import Collected
from tasks.prepare.collect.pieces import in_memory
from tasks.prepare.collect.readings import Readings
from tasks.prepare.collect_settings import FolderSource
from tests.deploy.documents.reading.pdfs import PICTURE, drawn, pdf
from tests.nobody import nobody


def read(source: FolderSource) -> Collected:
    return in_memory(read_folder(source, watched=source.path, readings=Readings(None)))


def test_every_file_below_the_folder_is_a_document(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "a.md").write_text("---\ndate: 1\n---\n\nIntro.\n\n# The title #\n\nText.")
    (tmp_path / "deep" / "b.md").write_text("No heading.")
    (tmp_path / "c.md").write_bytes(b"caf\xe9")
    (tmp_path / "d.txt").write_text("no Markdown")
    found = read(FolderSource(kind="markdown", path=tmp_path))
    assert [(d.title, d.text, d.source) for d in found.rows.documents] == [
        ("The title", "\nIntro.\n\n# The title #\n\nText.", "markdown"),
        ("b", "No heading.", "markdown"),
    ]
    assert [d.reason for d in found.dropped] == ["not_utf8"]
    assert found.dropped[0].detail.endswith("c.md: it is no text in UTF-8; if it is text, save it as UTF-8")
    assert found.figures["other_formats"] == {".txt": 1}


def test_other_formats_are_read_and_what_cannot_be_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "zoo.html").write_text("<title>Zoo</title><nav>Home</nav><p>The canary sings.")
    (tmp_path / "guide.PDF").write_bytes(pdf([PICTURE, drawn([(11, 600, "The jay hops.")])]))
    (tmp_path / "notes.txt").write_text("Bees.")
    (tmp_path / "scan.pdf").write_bytes(pdf([PICTURE]))
    (tmp_path / "logo.png").write_bytes(b"")
    found = read(FolderSource(kind="documents", path=tmp_path))
    assert [(d.title, d.text, d.uri) for d in found.rows.documents] == [
        ("guide", "The jay hops.", f"file:{tmp_path.as_posix()}/guide.PDF"),
        ("notes", "Bees.", f"file:{tmp_path.as_posix()}/notes.txt"),
        ("Zoo", "The canary sings.", f"file:{tmp_path.as_posix()}/zoo.html"),
    ]
    assert [(d.reason, d.stage, d.kind) for d in found.dropped] == [("no_text", "collect", "document")]
    assert found.figures["files"] == 4
    assert found.figures["other_formats"] == {".png": 1}
    said = capsys.readouterr().out
    assert "guide.PDF: 1 of its pages have pictures and no text, maybe scanned: 1" in said
    assert "scan.pdf: there is no text in it; it may be scanned" in said


def test_of_many_files_that_cannot_be_read_some_are_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for number in range(TOLD + 3):
        (tmp_path / f"{number}.md").write_text(" ")
    found = read(FolderSource(kind="documents", path=tmp_path))
    assert len(found.dropped) == TOLD + 3
    said = capsys.readouterr().out
    assert said.count("it is empty") == TOLD
    assert "and 3 more, which data/raw/dropped.parquet lists" in said


@pytest.mark.parametrize(
    ("kind", "name", "message"),
    [
        ("markdown", "none", "is not a folder; correct the path of the source `markdown`"),
        ("markdown", "", "no .md file lies below"),
        ("documents", "", "no .md or .markdown or .txt or .html or .htm or .xhtml or .pdf file lies below"),
    ],
)
def test_a_folder_without_documents_is_named(tmp_path: Path, kind: str, name: str, message: str) -> None:
    source = FolderSource.model_validate({"kind": kind, "path": tmp_path / name})
    with pytest.raises(SourceError, match=message):
        read(source)


def test_links_to_folders_are_counted_and_none_is_gone_round_in(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "manual"
    (folder / "deep").mkdir(parents=True)
    (folder / "deep" / "a.md").write_text("Text.")
    (folder / "deep" / "round").symlink_to(folder)
    (folder / "gone.md").symlink_to(tmp_path / "nowhere.md")
    found = read(FolderSource(kind="markdown", path=folder))
    assert [row.title for row in found.rows.documents] == ["a"]
    assert found.figures["other_formats"] == {"link to a folder": 1, "no file": 1}
    assert "1 links to folders are not followed" in capsys.readouterr().out


def test_a_folder_that_cannot_be_looked_into_is_not_passed_over() -> None:
    with tempfile.TemporaryDirectory() as place:  # tmp_path is root's alone, where root runs the tests
        folder = Path(place)
        folder.chmod(0o755)
        (folder / "a.md").write_text("Text.")
        (folder / "locked").mkdir(mode=0)
        with nobody(), pytest.raises(SourceError, match="locked cannot be looked into: Permission denied"):
            read(FolderSource(kind="markdown", path=folder))

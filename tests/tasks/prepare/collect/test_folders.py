"""Protects folders of Markdown: one document a file, titled as a reader would, and nothing passed over."""

from pathlib import Path

import pytest

from tasks.errors import SourceError
from tasks.prepare.collect.markdown import read_markdown


def test_every_file_below_the_folder_is_a_document(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "a.md").write_text("---\ndate: 1\n---\n\nIntro.\n\n# The title #\n\nText.")
    (tmp_path / "deep" / "b.md").write_text("No heading.")
    (tmp_path / "c.md").write_bytes(b"caf\xe9")
    (tmp_path / "d.txt").write_text("no Markdown")
    found = read_markdown(tmp_path, watched=tmp_path)
    assert [(d.title, d.text) for d in found.rows.documents] == [
        ("The title", "\nIntro.\n\n# The title #\n\nText."),
        ("b", "No heading."),
    ]
    assert [(d.reason, Path(d.detail).name) for d in found.dropped] == [("not_utf8", "c.md")]


@pytest.mark.parametrize(("name", "message"), [("none", "is not a folder"), ("", "no .md file lies below")])
def test_a_folder_without_markdown_is_named(tmp_path: Path, name: str, message: str) -> None:
    with pytest.raises(SourceError, match=message):
        read_markdown(tmp_path / name, watched=tmp_path)

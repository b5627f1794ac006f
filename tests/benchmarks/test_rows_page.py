"""Protects docs/rows.md: the page says what the code does."""

from dataclasses import fields
from pathlib import Path

from benchmarks.rows_page import KINDS, rows_markdown


def test_the_page_is_the_one_that_the_code_writes() -> None:
    written = Path("docs/rows.md").read_text(encoding="utf-8")
    assert written == rows_markdown(), "run: python -m benchmarks.rows_page > docs/rows.md"


def test_every_field_of_every_row_has_a_line() -> None:
    text = rows_markdown()
    for kind in KINDS:
        section = text.split(f"## {kind.__name__}\n")[1].split("\n## ")[0]
        for field in fields(kind):
            assert f"| `{field.name}` |" in section

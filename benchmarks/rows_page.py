"""Writes docs/rows.md from the records and schemas: `python -m benchmarks.rows_page > docs/rows.md`."""

import inspect

from tasks.rows.arrow import schema
from tasks.rows.learned import LEARNED
from tasks.rows.records import Document, Dropped, EvaluationItem, Example, Learned, Preference, Record
from tasks.rows.reports import RowCount
from tasks.rows.tables import FILES

HEAD = """# Rows

Written by `python -m benchmarks.rows_page`; a test compares it with the code. Rows are kept as Parquet, one
file for each kind, and no column is ever null. A message has a `role` (system, user or assistant) and a
`content`.
"""
KINDS: tuple[type[Record], ...] = (Example, Preference, Document, Dropped, EvaluationItem, Learned)
PLACES: dict[type[Record], str] = {
    **FILES,
    Dropped: "dropped.parquet` or `quarantine.parquet",
    EvaluationItem: "evaluations.parquet",
    Learned: f"{LEARNED}` beside the adapters in `models/sft`, `models/reward` and `models/rlhf",
}


def rows_markdown() -> str:
    """The page: for each kind of row its meaning and its columns, then how rows are counted."""
    return "\n".join([HEAD, *(_kind(kind) for kind in KINDS), _counts()])


def _kind(kind: type[Record]) -> str:
    lines = [
        f"## {kind.__name__}",
        "",
        f"In `{PLACES[kind]}`. {_text(kind)}",
        "",
        "| column | type |",
        "|---|---|",
    ]
    lines += [f"| `{field.name}` | {_type(str(field.type))} |" for field in schema(kind)]
    return "\n".join(lines) + "\n"


def _counts() -> str:
    return f"## How rows are counted\n\nIn each report. {_text(RowCount)}\n"


def _text(kind: type) -> str:
    return (inspect.getdoc(kind) or "").strip()


def _type(name: str) -> str:
    """An Arrow type in plain words."""
    words = {
        "string": "text",
        "bool": "true or false",
        "double": "number",
        "int64": "whole number",
        "map<string, string>": "map of text to text",
    }
    if name.startswith("list<"):
        return "list of messages" if "struct" in name else "list of texts"
    return words[name]


if __name__ == "__main__":
    print(rows_markdown(), end="")

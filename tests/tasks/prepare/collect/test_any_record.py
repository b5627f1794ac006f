"""Protects runs from records of any content: each becomes rows or is told, stays as it is, and is counted."""

import json
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.errors import SourceError
from tasks.prepare.clean import counted as cleaned_counts
from tasks.prepare.clean.steps import clean_rows
from tasks.prepare.collect import by_reason, counted
from tasks.prepare.collect.files import read_file
from tasks.prepare.collect.identifiers import Collected
from tasks.prepare.collect.pieces import in_memory
from tasks.prepare.collect_settings import FileSource
from tasks.rows.records import Dropped
from tasks.rows.reports import unbalanced
from tasks.rows.tables import read_rows, read_table, write_rows, write_table
from tests.conftest import small_settings

SETTINGS = small_settings()
TEXT = st.text(st.one_of(st.characters(codec="utf-8"), st.sampled_from("\x00\n\u2028\ufeff")), max_size=8)
NUMBER = st.one_of(st.integers(-(2**70), 2**70), st.floats(), st.booleans(), st.none())
ANY = st.recursive(
    st.one_of(TEXT, NUMBER),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(TEXT, inner, max_size=3)),
    max_leaves=6,
)
TURN = st.fixed_dictionaries(
    {"role": st.sampled_from(["user", "assistant", "system", "gpt"]), "content": TEXT}
)
TURNS = st.lists(TURN, max_size=5)
ODD = {  # what any row may have beside what its shape needs
    name: st.one_of(ANY, TEXT)
    for name in ("id", "group", "task", "evidence", "held_out", "answerable", "metadata", "title", "created")
}
SHAPES: Mapping[str, Mapping[str, st.SearchStrategy[Any]]] = {
    "messages": {"messages": TURNS},
    "prompt+completion": {"prompt": st.one_of(TEXT, TURNS), "completion": st.one_of(TEXT, st.lists(TEXT))},
    "alpaca": {"instruction": TEXT, "input": TEXT, "output": TEXT},
    "preference": {"prompt": TEXT, "chosen": st.one_of(TEXT, TURNS), "rejected": st.one_of(TEXT, TURNS)},
    "comparison": {"prompt": TEXT, "answer_a": TEXT, "answer_b": TEXT, "winner": ANY},
    "ranking": {"prompt": TEXT, "responses": st.lists(TEXT, max_size=4), "ratings": ANY},
    "text+label": {"text": TEXT, "label": st.one_of(TEXT, NUMBER)},
    "document": {"text": TEXT},
}


def records(shape: str) -> st.SearchStrategy[list[dict[str, Any]]]:
    """Rows of a shape, of which some columns hold anything at all, or are missing."""
    sound = st.fixed_dictionaries(dict(SHAPES[shape]), optional=ODD)
    odd = st.fixed_dictionaries({}, optional={**dict.fromkeys(SHAPES[shape], ANY), **ODD})
    return st.lists(st.one_of(sound, sound, odd), min_size=1, max_size=6)


def read(found: Sequence[Mapping[str, Any]], folder: Path) -> Collected | None:
    path = folder / "rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in found), encoding="utf-8")
    keep = ["created"] if any("created" in row for row in found) else []
    try:
        return in_memory(read_file(FileSource(kind="file", path=path, keep=keep), watched=folder))
    except SourceError:  # no shape is known: nothing is taken, and it is said
        return None


@pytest.mark.parametrize("shape", SHAPES)
@settings(max_examples=40)
@given(data=st.data())
def test_every_record_is_kept_or_told_and_stays_what_it_was(shape: str, data: st.DataObject) -> None:
    found = data.draw(records(shape))
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        collected = read(found, folder)
        if collected is None:
            return
        rows, dropped = collected.rows, list(collected.dropped)
        if shape not in ("preference", "comparison", "ranking"):  # of which a record may make several pairs
            assert len(rows.examples) + len(rows.documents) + len(dropped) == len(found)
        assert {row.detail.split(":")[0] for row in dropped} <= {
            f"line {n}" for n in range(1, len(found) + 1)
        }
        kept = {kind: len(part) for kind, part in rows.by_kind().items()}
        assert unbalanced(counted(kept, by_reason(dropped), Counter())) == []
        write_rows(folder / "rows", rows)
        write_table(folder / "dropped.parquet", Dropped, dropped)
        assert read_rows(folder / "rows") == rows
        assert read_table(folder / "dropped.parquet", Dropped) == dropped
    result = clean_rows(rows, SETTINGS.clean)
    left = {kind: len(part) for kind, part in result.rows.by_kind().items()}
    assert unbalanced(cleaned_counts(kept, left, by_reason(result.dropped))) == []
    again = clean_rows(result.rows, SETTINGS.clean)
    assert again.rows == result.rows  # what is clean is clean

"""Protects the rows on their way through Parquet: unchanged when read again, equal rows in equal bytes."""

from collections.abc import Iterator
from dataclasses import asdict
from itertools import accumulate, pairwise
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tasks.errors import SourceError
from tasks.rows import cutting
from tasks.rows.arrow import arrow_of, schema
from tasks.rows.records import Document, Dropped, Example, Preference, Rows
from tasks.rows.tables import (
    read_rows,
    read_shards,
    read_table,
    shard_sizes,
    write_arrow,
    write_rows,
    write_table,
)
from tests.tasks.rows.made import question

PREFERENCES = st.builds(Preference, margin=st.floats(allow_nan=False))
ROWS = st.builds(Rows, preferences=st.lists(PREFERENCES, max_size=3).map(tuple))


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=ROWS)
def test_rows_come_back_as_they_were(tmp_path: Path, rows: Rows) -> None:
    write_rows(tmp_path / "rows", rows)
    assert read_rows(tmp_path / "rows") == rows


def test_equal_rows_give_equal_bytes(tmp_path: Path) -> None:
    fields = {"id": "a", "source": "s", "uri": "u", "title": "t", "text": "x", "sha256": "0"}
    one = Document(**fields, metadata={"a": "1", "b": "2"})
    two = Document(**fields, metadata={"b": "2", "a": "1"})
    write_table(tmp_path / "one", Document, [one] * 100)
    write_table(tmp_path / "two", Document, iter([two] * 100))
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(PREFERENCES, max_size=3))
def test_a_table_has_the_bytes_that_arrow_makes_of_the_rows(tmp_path: Path, rows: list[Preference]) -> None:
    values = [asdict(row) | {"metadata": sorted(row.metadata.items())} for row in rows]
    theirs = pa.Table.from_pylist(values, schema=schema(Preference))
    pq.write_table(theirs, tmp_path / "theirs", compression="zstd")
    write_table(tmp_path / "ours", Preference, rows)
    assert (tmp_path / "ours").read_bytes() == (tmp_path / "theirs").read_bytes()


def test_a_table_is_written_and_read_by_shards_of_which_one_is_in_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cutting, "ROWS_A_SHARD", 4)
    made: list[int] = []

    def rows() -> Iterator[Dropped]:
        for number in range(10):
            made.append(number)
            yield Dropped(
                id=str(number), kind="example", source="s", stage="clean", reason="empty", detail=""
            )

    path = tmp_path / "rows.parquet"
    assert write_table(path, Dropped, rows()) == 10
    assert shard_sizes(path, Dropped) == [4, 4, 2]
    assert [[row.id for row in shard] for shard in read_shards(path, Dropped)] == [
        ["0", "1", "2", "3"],
        ["4", "5", "6", "7"],
        ["8", "9"],
    ]
    assert [row.id for shard in read_shards(path, Dropped, [2, 0]) for row in shard] == list("890123")
    assert read_table(path, Dropped) == list(rows())


ROW = st.tuples(st.text(max_size=30), st.text(max_size=3), st.dictionaries(st.text(max_size=3), st.text()))


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(told=st.lists(ROW, max_size=30), most=st.integers(1, 9), limit=st.integers(1, 120), data=st.data())
def test_a_shard_ends_at_so_many_rows_or_so_many_bytes(
    tmp_path: Path, told: list[tuple[str, str, dict[str, str]]], most: int, limit: int, data: st.DataObject
) -> None:
    path, other = tmp_path / "rows.parquet", tmp_path / "other.parquet"
    rows = [question(name, asked, metadata=metadata) for asked, name, metadata in told]
    sizes = [size(row) for row in rows]
    cuts = sorted(data.draw(st.lists(st.integers(0, len(rows)), max_size=4)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cutting, "ROWS_A_SHARD", most)
        patch.setattr(cutting, "BYTES_A_SHARD", limit)
        write_table(path, Example, rows)
        whole = arrow_of(Example, rows)
        pieces = (whole[start:end] for start, end in pairwise([0, *cuts, len(rows)]))
        write_arrow(other, schema(Example), pieces)
    assert other.read_bytes() == path.read_bytes()  # however the rows come
    assert read_table(path, Example) == rows
    shards = shard_sizes(path, Example)
    ends = list(accumulate(shards, initial=0))
    for start, end in pairwise(ends):
        assert end - start <= most
        assert end - start <= 1 or sum(sizes[start:end]) <= limit
        if end < len(rows):  # and no sooner
            assert end - start == most or sum(sizes[start : end + 1]) > limit


def size(row: Example) -> int:
    """The bytes of all texts of a row."""
    texts = [row.id, row.source, row.task, row.quote, row.group, row.held_out, *row.evidence, *row.withheld]
    texts += [text for turn in row.messages for text in (turn.role, turn.content)]
    return sum(len(text.encode()) for text in (*texts, *row.metadata, *row.metadata.values()))


def test_what_fails_in_the_middle_leaves_the_table_of_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cutting, "ROWS_A_SHARD", 1)
    path = tmp_path / "rows.parquet"
    write_table(path, Dropped, [])

    def rows() -> Iterator[Dropped]:
        yield Dropped(id="1", kind="example", source="s", stage="clean", reason="empty", detail="")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_table(path, Dropped, rows())
    assert read_table(path, Dropped) == []
    assert [file.name for file in tmp_path.iterdir()] == ["rows.parquet"]


def test_no_rows_are_still_a_table(tmp_path: Path) -> None:
    write_table(tmp_path / "none.parquet", Dropped, [])
    assert read_table(tmp_path / "none.parquet", Dropped) == []


def test_a_table_that_is_not_there_or_not_whole_or_of_another_kind_is_told(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"none.parquet is not there; run the stage before"):
        read_table(tmp_path / "none.parquet", Example)
    write_table(tmp_path / "cut.parquet", Dropped, [])
    whole = (tmp_path / "cut.parquet").read_bytes()
    (tmp_path / "cut.parquet").write_bytes(whole[:-10])
    with pytest.raises(SourceError, match=r"cut.parquet cannot be read as Parquet"):
        read_table(tmp_path / "cut.parquet", Dropped)
    (tmp_path / "cut.parquet").write_bytes(whole)
    with pytest.raises(SourceError, match="has columns"):
        read_table(tmp_path / "cut.parquet", Example)

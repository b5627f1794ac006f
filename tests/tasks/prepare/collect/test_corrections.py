"""Protects corrections of people: the right row is mended in its place, a stale one changes nothing."""

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest

from deploy.abstention import ABSTENTION
from deploy.messages import Message
from tasks.errors import SourceError
from tasks.prepare.collect.corrections import (
    Corrections,
    fingerprint,
    left_out,
    read_corrections,
    texts_of,
    with_texts,
)
from tasks.prepare.collect.identifiers import Correction, Decision
from tasks.prepare.collect_settings import CollectSettings, CorrectionsSource, FileSource
from tasks.rows.records import Dropped, Example, Row, Rows
from tasks.rows.reports import read_report, unbalanced
from tasks.rows.tables import read_rows, read_table
from tests.tasks.prepare.collect.running import collected
from tests.tasks.rows.made import document, pair, question, rows


def correction(row: Row, decision: Decision = "use", **texts: str) -> Correction:
    kind: Any = {"Example": "example", "Preference": "preference", "Document": "document"}[type(row).__name__]
    return Correction(id=row.id, kind=kind, was=fingerprint(row), decision=decision, texts=texts)


def mended(found: Corrections, given: Rows) -> list[Row]:
    """What corrections leave of rows."""
    told = [found.told(row) for part in given.by_kind().values() for row in part]
    return [row for row in told if row is not None]


def test_a_mended_row_keeps_everything_but_its_texts() -> None:
    row = question("a", "Why?", "Becuase.", group="g", metadata={"region": "north"})
    found = Corrections([correction(row, answer="Because.")])
    first, second = mended(found, rows(row, question("b")))
    assert first == replace(row, messages=(*row.prompt, Message("assistant", "Because.")))
    assert second == question("b")
    assert found.fates() == {"mended": 1}


def test_every_kind_can_be_mended_and_earlier_turns_stay() -> None:
    before = (Message("user", "Hello"), Message("assistant", "Hi"))
    row = question("a")
    row = replace(row, messages=(*before, *row.messages))
    mended = with_texts(row, {"question": "How?"})
    assert isinstance(mended, Example)
    assert mended.messages == (*before, Message("user", "How?"), Message("assistant", "Because."))
    for other in (pair("p"), document("d")):
        told = {name: f"new {name}" for name in texts_of(other)}
        assert texts_of(with_texts(other, told)) == told
    assert with_texts(document("d"), {"text": "New."}) != replace(document("d"), text="New.")  # its checksum


def test_an_answer_that_abstains_is_no_answer_and_the_other_way_round() -> None:
    row = question("a")
    assert not with_texts(row, {"answer": ABSTENTION}).answerable  # type: ignore[union-attr]
    none = question("a", answer=ABSTENTION, answerable=False)
    assert with_texts(none, {"answer": "It is 1."}).answerable  # type: ignore[union-attr]
    assert not with_texts(none, {"question": "How?"}).answerable  # type: ignore[union-attr]


def test_a_row_that_is_left_out_is_dropped_with_its_reason() -> None:
    row = question("a")
    found = Corrections([correction(row, "leave out")])
    assert mended(found, rows(row, question("b"))) == [question("b")]
    assert found.fates() == {"left_out": 1}
    lost = left_out(row)
    assert (lost.id, lost.stage, lost.reason) == ("a", "collect", "left_out_by_people")


def test_a_correction_of_what_stands_there_no_more_changes_nothing() -> None:
    old, new = question("a", answer="Old."), question("a", answer="New.")
    gone = correction(question("z"), "leave out")
    found = Corrections([correction(old, answer="Mended."), gone])
    assert mended(found, rows(new)) == [new]
    assert found.fates() == {"source_changed": 1, "row_gone": 1}


def test_a_second_correction_follows_the_first() -> None:
    first = question("a", answer="One.")
    second = question("a", answer="Two.")
    chain = [correction(first, answer="Two."), correction(second, answer="Three.")]
    (row,) = mended(Corrections(reversed(chain)), rows(first))
    assert texts_of(row)["answer"] == "Three."
    round_and_round = [correction(first, answer="Two."), correction(second, answer="One.")]
    assert mended(Corrections(round_and_round), rows(first)) == [first]
    assert mended(Corrections([correction(first)]), rows(first)) == [first]


def test_of_two_rows_with_one_id_the_one_that_was_looked_at_is_mended() -> None:
    one, other = question("a", answer="One."), question("a", answer="Other.")
    found = Corrections([correction(other, answer="Mended.")])
    assert [texts_of(row)["answer"] for row in mended(found, rows(one, other))] == ["One.", "Mended."]
    assert found.fates() == {"mended": 1}


def test_collect_uses_them_and_accounts_for_every_row(tmp_path: Path) -> None:
    sources = tmp_path / "sources"
    sources.mkdir()
    asked = [{"id": n, "prompt": f"Why {n}?", "completion": "Becuase."} for n in range(3)]
    (sources / "faq.jsonl").write_text("".join(json.dumps(each) + "\n" for each in asked))
    file = FileSource(kind="file", path=sources / "faq.jsonl")
    people = CorrectionsSource(kind="corrections", path=sources / "corrections.jsonl")

    def run() -> tuple[Example, ...]:
        collected(tmp_path, CollectSettings(sources=[file, people]))
        return read_rows(tmp_path / "rows").examples

    before = run()
    assert "corrections" not in read_report(tmp_path / "report.json").figures
    lines = [correction(before[0], answer="Because."), correction(before[1], "leave out")]
    people.path.write_text("".join(json.dumps(asdict(each)) + "\n" for each in lines))
    after = run()
    assert [row.answer for row in after] == ["Because.", "Becuase."]
    assert after[1] == before[2]
    (lost,) = read_table(tmp_path / "dropped.parquet", Dropped)
    assert (lost.id, lost.reason) == (before[1].id, "left_out_by_people")
    report = read_report(tmp_path / "report.json")
    assert unbalanced(report.rows) == []
    assert report.figures["corrections"] == {"left_out": 1, "mended": 1}


def test_a_line_that_is_no_correction_is_told(tmp_path: Path) -> None:
    path = tmp_path / "corrections.jsonl"
    path.write_text('{"id": "a", "decision": "perhaps"}\n')
    with pytest.raises(SourceError, match=r"corrections\.jsonl.*line 1.*write it by threeply rows import"):
        read_corrections(CorrectionsSource(kind="corrections", path=path), watched=tmp_path)

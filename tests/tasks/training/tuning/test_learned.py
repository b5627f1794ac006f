"""Protects the table of what was learned from: each row in each form, its tokens, and why it has none."""

from pathlib import Path
from typing import Any

from deploy.engines.chat import load_tokenizer
from tasks.rows.learned import learned_in, read_learned, write_learned
from tasks.rows.records import Document, Learned
from tasks.rows.reports import row_counts, unbalanced
from tasks.settings import Settings
from tasks.training.tuning.documents import packed_documents
from tasks.training.tuning.examples import training_examples
from tasks.training.tuning.learned import learned_rows
from tasks.training.tuning.replay import Replay
from tasks.training.tuning.tokens import Tokenised
from tests.deploy.knowledge.listed import HIT, reader
from tests.tasks.training.rlhf_stage import example

NONE = Replay(rows=Tokenised(rows=(), examples=(), no_room=0), counts=[], figures={})


def line(**given: Any) -> Learned:
    """What was learned from one row."""
    plain = {"kind": "example", "source": "faq", "form": "itself", "times": 1, "tokens": 5, "reason": ""}
    return Learned(**{**plain, **given})


def test_forms_of_a_row_are_lines_and_their_tokens_add_up(tiny_base: Path, settings: Settings) -> None:
    rows = [example(n) for n in range(48)]
    sft = settings.sft.model_copy(
        update={"max_rows": 9, "companions": 3, "counterfactuals": {"default": 1.0}, "epochs": 2}
    )
    chosen = training_examples(
        rows, rows[42:], reader([HIT]), load_tokenizer(tiny_base), settings=sft, seed=1
    )
    order = [*range(len(chosen.training.rows)), 0]  # one row comes twice
    found = chosen.learned(NONE, order)
    assert sum(each.tokens for each in found.lines) == sum(
        chosen.training.rows[place].answer_tokens for place in order
    )
    names = {row.id for row in rows}
    assert {each.id for each in found.lines} == names, (
        "a form is counted under its own name, or a row is lost"
    )
    assert {each.form for each in found.lines} == {"itself", "counterfactual", "companion"}
    itself = {each.id: each for each in found.lines if each.form == "itself"}
    assert sum(each.times > 0 for each in itself.values()) == 9
    assert {each.reason for each in itself.values() if not each.times} == {"over sft.max_rows"}
    assert found.counts == chosen.counts


def test_rows_that_training_has_not_reached_are_not_called_trained_on() -> None:
    parts = [(line(id="a"),), (line(id="b"),), (line(id="b", form="companion"),)]
    counts = [
        *row_counts("example", 3, trained=2, unused={"over": 1}),
        *row_counts("companion", 1, trained=1),
    ]
    found = learned_rows(
        parts, [0, 0], others=[line(id="c", times=0, tokens=0, reason="over")], counts=counts
    )
    assert [(each.id, each.times, each.tokens, each.reason) for each in found.lines] == [
        ("a", 2, 10, ""),
        ("b", 0, 0, "training ended before it"),
        ("b", 0, 0, "training ended before it"),
        ("c", 0, 0, "over"),
    ]
    assert unbalanced(found.counts) == []
    told = {(each.kind, each.outcome, each.reason): each.count for each in found.counts}
    assert told["example", "trained", ""] == 1
    assert told["companion", "unused", "training ended before it"] == 1


def test_packed_text_tells_of_each_document_how_many_of_its_tokens_count(
    tiny_base: Path, settings: Settings
) -> None:
    documents = [
        Document(
            id=f"d{number}",
            source=f"s{number % 2}",
            uri="",
            title="",
            text="tol " * (number + 1),
            metadata={},
            sha256="",
        )
        for number in range(20)
    ]
    sft = settings.sft.model_copy(update={"max_length": 16, "validation_rows": 1, "max_rows": 6})
    packed = packed_documents(documents, load_tokenizer(tiny_base), settings=sft, seed=1)
    assert len(packed.parts) == len(packed.training.rows)
    for part, row in zip(packed.parts, packed.training.rows, strict=True):
        assert sum(each.tokens for each in part) == row.answer_tokens
        assert all(each.tokens >= 0 for each in part)
    named = [{each.id for each in part} for part in packed.parts]
    others = {each.id for each in packed.others}
    assert set.union(*named) | others == {each.id for each in documents}
    assert set.union(*named).isdisjoint(others)


def test_the_rows_learned_from_as_they_are_can_be_read_again(tmp_path: Path) -> None:
    lines = [line(id="a"), line(id="b", times=0, tokens=0, reason="over"), line(id="c", form="companion")]
    write_learned(tmp_path, lines)
    assert read_learned(tmp_path) == {"a"}
    assert learned_in(tmp_path) == tuple(lines)

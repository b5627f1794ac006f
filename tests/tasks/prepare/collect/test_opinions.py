"""Protects preferences in files: each shape gives the better answer, and what prefers nothing is told."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tasks.errors import SourceError
from tasks.prepare.collect.files import read_file
from tasks.prepare.collect.pieces import in_memory
from tasks.prepare.collect_settings import FileSource
from tests.tasks.prepare.collect.reading import QUESTION, jsonl, read


@pytest.mark.parametrize(
    "row",
    [
        {"prompt": "Why?", "chosen": "Because.", "rejected": "No."},
        {"prompt": "\n\nHuman: Why?\n\nAssistant:", "chosen": "Because.", "rejected": "No."},
        {
            "chosen": [{"role": "user", "content": "Why?"}, {"role": "assistant", "content": "Because."}],
            "rejected": [{"role": "user", "content": "Why?"}, {"role": "assistant", "content": "No."}],
        },
        {"chosen": "\n\nHuman: Why?\n\nAssistant: Because.", "rejected": "\n\nHuman: Why?\n\nAssistant: No."},
        {"prompt": "Human: Why?\n\nAssistant:", "chosen": "Because.", "rejected": "No."},
        {
            "prompt": "Why?",
            "chosen": [{"role": "user", "content": "Why?"}, {"role": "assistant", "content": "Because."}],
            "rejected": [{"role": "user", "content": "Why?"}, {"role": "assistant", "content": "No."}],
        },
        {"instruction": "Why?", "chosen_response": "Because.", "rejected_response": "No."},
        {"prompt": "Why?", "response_a": "No.", "response_b": "Because.", "winner": "b"},
        {"prompt": "Why?", "response_a": "No.", "response_b": "Because.", "winner": "model_b"},
        {"prompt": "Why?", "response_0": "Because.", "response_1": "No.", "better_response_id": 0},
        {"prompt": "Why?", "output_1": "No.", "output_2": "Because.", "preference": 2},
        {"prompt": "Why?", "answer_a": "No.", "answer_b": "Because.", "rating_a": 1, "rating_b": 4.5},
        {"prompt": "Why?", "responses": ["No.", "Because."], "ratings": [1, 3]},
        {"prompt": "Why?", "responses": ["No.", "Because."], "ranking": [2, 1]},
        {
            "instruction": "Why?",
            "completions": [
                {"response": "No.", "overall_score": 3},
                {"response": "Because.", "overall_score": 7},
            ],
        },
    ],
)
def test_each_shape_of_preference_is_read(tmp_path: Path, row: Mapping[str, Any]) -> None:
    (pair,) = read(jsonl(tmp_path / "a.jsonl", row)).rows.preferences
    assert (pair.prompt, pair.chosen, pair.rejected) == ((QUESTION,), "Because.", "No.")
    assert pair.label == "human"


def test_a_ranking_makes_a_pair_of_each_two_that_differ(tmp_path: Path) -> None:
    row = {"id": 7, "prompt": "Why?", "responses": ["No.", "So.", "Because."], "ratings": [1, 1, 4]}
    pairs = read(jsonl(tmp_path / "a.jsonl", row)).rows.preferences
    assert [(pair.chosen, pair.rejected, pair.margin) for pair in pairs] == [
        ("Because.", "No.", 3.0),
        ("Because.", "So.", 3.0),
    ]
    assert len({pair.id for pair in pairs}) == 2
    assert len({pair.group for pair in pairs}) == 1


@pytest.mark.parametrize(
    ("row", "reason", "detail"),
    [
        ({"winner": "tie"}, "nothing_preferred", "equally good"),
        ({"winner": "both"}, "nothing_preferred", "equally good"),
        ({"winner": "left"}, "wrong_shape", "winner is 'left'; it should be a, b or tie"),
    ],
)
def test_a_comparison_without_a_winner_is_dropped_with_its_reason(
    tmp_path: Path, row: Mapping[str, Any], reason: str, detail: str
) -> None:
    known = {"prompt": "Why?", "answer_a": "No.", "answer_b": "Because."}
    found = read(jsonl(tmp_path / "a.jsonl", {**known, "winner": "a"}, {**known, **row}))
    (dropped,) = found.dropped
    assert len(found.rows.preferences) == 1
    assert (dropped.reason, detail in dropped.detail) == (reason, True)


@pytest.mark.parametrize(
    ("row", "detail"),
    [
        ({"responses": ["No."], "ratings": [1]}, "no list of two and more"),
        ({"responses": ["No.", "So."], "ratings": [1]}, "ratings is no list of a number for each"),
        ({"responses": ["No.", "So."], "ratings": [1, None]}, "ratings is 'None', not a number"),
        ({"responses": ["No.", "So."], "ratings": [1, float("nan")]}, "ratings is 'nan', not a number"),
        ({"responses": [{"text": "No."}, {"text": "So."}]}, "neither ratings nor a ranking"),
        ({"responses": ["No.", "So."], "ratings": [2, 2]}, "equally good"),
    ],
)
def test_a_ranking_that_cannot_be_read_says_what_it_lacks(
    tmp_path: Path, row: Mapping[str, Any], detail: str
) -> None:
    (dropped,) = read(jsonl(tmp_path / "a.jsonl", {"prompt": "Why?", **row})).dropped
    assert detail in dropped.detail


def test_better_answers_are_taught_once_a_prompt(tmp_path: Path) -> None:
    rows = (
        {"prompt": "Why?", "chosen": "B.", "rejected": "A."},
        {"prompt": "Why?", "chosen": "C.", "rejected": "B."},
        {"prompt": "Who?", "chosen": "D.", "rejected": "E."},
        {"prompt": "Who?", "chosen": "E.", "rejected": "D."},
    )
    path = jsonl(tmp_path / "a.jsonl", *rows)
    found = in_memory(read_file(FileSource(kind="file", path=path, teaches=True), watched=tmp_path)).rows
    (example,) = found.examples
    assert (example.prompt, example.answer) == ((QUESTION,), "C.")
    assert example.group == found.preferences[1].group
    assert len(found.preferences) == 4
    questions = jsonl(tmp_path / "b.jsonl", {"prompt": "Why?", "completion": "Because."})
    with pytest.raises(SourceError, match="holds examples, of which there is no better answer"):
        in_memory(read_file(FileSource(kind="file", path=questions, teaches=True), watched=tmp_path))


def test_conversations_that_part_earlier_are_no_preference(tmp_path: Path) -> None:
    row = {"chosen": "Human: Why?\n\nAssistant: A.", "rejected": "Human: Who?\n\nAssistant: B."}
    (dropped,) = read(jsonl(tmp_path / "a.jsonl", row)).dropped
    assert "chosen and rejected differ before their last turn" in dropped.detail


def test_the_ratings_of_both_answers_give_the_margin(tmp_path: Path) -> None:
    row = {"prompt": "Why?", "chosen": "A.", "rejected": "B.", "chosen_rating": 4.5, "rejected_rating": 2}
    assert read(jsonl(tmp_path / "a.jsonl", row)).rows.preferences[0].margin == 2.5

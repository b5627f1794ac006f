"""Protects people's labels: what is exported comes back as a source that reads it, in both formats."""

import json
from pathlib import Path
from typing import Any

import pytest

from deploy.messages import Message
from tasks.prepare.collect.files import read_file
from tasks.prepare.collect.pieces import in_memory
from tasks.prepare.collect_settings import FileSource
from tasks.training.sampling.answers import Sampled
from tasks.training.sampling.labelling import Answers, Format, labelled, lines, to_label
from tests.tasks.rows.made import question

ANSWERS = Answers(
    id="e1",
    task="chat",
    prompt=(Message("user", "Who?"), Message("assistant", "She."), Message("user", "Why?")),
    responses=("Because.", "So.", "No."),
    evidence=("d1",),
    group="g1",
    reference="Because.",
)


def test_only_questions_with_answers_that_differ_are_written() -> None:
    drawn = [
        Sampled(example=question(name), answers=answers)
        for name, answers in (("a", ("x", "y")), ("b", ("x",)))
    ]
    (line,) = lines(drawn).splitlines()
    assert json.loads(line)["responses"] == ["x", "y"]


def filled_in(record: dict[str, Any], form: Format, *rankings: tuple[int, ...]) -> dict[str, Any]:
    """A record as it comes back from people who gave these ranks."""
    if form == "jsonl":
        return {**record, "ranking": list(rankings[0])}
    given = [
        {
            "user_id": "u",
            "value": [{"value": f"response-{n}", "rank": rank} for n, rank in enumerate(ranks, 1)],
        }
        for ranks in rankings
    ]
    return {**record, "responses": {"ranking": given}}


@pytest.mark.parametrize("form", ["jsonl", "argilla"])
def test_rankings_come_back_as_preferences(tmp_path: Path, form: Format) -> None:
    (record,) = to_label([ANSWERS], form)
    found, empty = labelled([filled_in(record, form, (1, 2, 2))], [ANSWERS])
    assert empty == 0
    (tmp_path / "labels.jsonl").write_text(json.dumps(found[0]) + "\n", encoding="utf-8")
    source = FileSource(kind="file", path=tmp_path / "labels.jsonl")
    pairs = in_memory(read_file(source, watched=tmp_path)).rows.preferences
    assert [(pair.chosen, pair.rejected, pair.label) for pair in pairs] == [
        ("Because.", "So.", "human"),
        ("Because.", "No.", "human"),
    ]
    assert {(pair.prompt, pair.evidence, pair.group) for pair in pairs} == {(ANSWERS.prompt, ("d1",), "g1")}


def test_the_ranks_of_several_people_are_averaged() -> None:
    (record,) = to_label([ANSWERS], "argilla")
    assert "user: Who?" in record["fields"]["prompt"]
    found, _ = labelled([filled_in(record, "argilla", (1, 2, 3), (2, 1, 3))], [ANSWERS])
    assert found[0]["ranking"] == [1.5, 1.5, 3.0]


def test_a_ranking_by_argillas_client_is_names_alone_and_drafts_do_not_count() -> None:
    (record,) = to_label([ANSWERS], "argilla")
    given = [
        {"user_id": "u", "value": ["response-2", "response-1", "response-3"]},
        {"user_id": "v", "value": ["response-1"], "status": "draft"},
        {"user_id": "w", "value": None, "status": "discarded"},
    ]
    found, empty = labelled([{**record, "responses": {"ranking": given}}], [ANSWERS])
    assert (found[0]["ranking"], empty) == ([2.0, 1.0, 3.0], 0)
    assert labelled([{**record, "responses": {"ranking": given[1:]}}], [ANSWERS]) == ([], 1)


@pytest.mark.parametrize("form", ["jsonl", "argilla"])
def test_what_nobody_has_judged_is_counted(form: Format) -> None:
    assert labelled(to_label([ANSWERS], form), [ANSWERS]) == ([], 1)


@pytest.mark.parametrize(
    ("record", "message"),
    [
        (["e1"], "a line holds list, and no record"),
        ({"id": "e9"}, "the answers of 'e9' were not drawn in the last run"),
        ({"id": "e1", "ranking": [1, 2]}, "the ranking of 'e1' should be a list of 3 ranks"),
        ({"id": "e1", "ranking": [1, 2, None]}, "the ranking of 'e1' should be a list of 3 ranks"),
        ({"id": "e1", "ranking": [0, 1, 2]}, "the ranking of 'e1' should be a list of 3 ranks"),
        ({"id": "e1", "responses": {"ranking": [{"value": []}]}}, "has no rank for each of the 3 responses"),
    ],
)
def test_a_ranking_that_does_not_fit_is_named(record: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        labelled([record], [ANSWERS])

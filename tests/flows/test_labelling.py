"""Protects `threeply label`: the file of a run goes out, comes back as a source, and old labels stay."""

import argparse
import json
from pathlib import Path

import pytest

from flows.errors import LabelError
from flows.judging import judge_answers, upstream
from flows.labelling import ANSWERS, _answers, add_flags, export_answers, import_labels
from tasks.errors import TrainingError
from tasks.prepare.collect.files import read_file
from tasks.prepare.collect.pieces import in_memory
from tasks.prepare.collect_settings import FileSource


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A project whose last run has drawn answers to two questions."""
    (tmp_path / ANSWERS).parent.mkdir(parents=True)
    records = [
        {
            "id": name,
            "task": "chat",
            "prompt": [{"role": "user", "content": "Why?"}],
            "responses": ["A.", "B."],
            "evidence": [],
            "group": name,
            "reference": "A.",
        }
        for name in ("e1", "e2")
    ]
    (tmp_path / ANSWERS).write_text("".join(json.dumps(each) + "\n" for each in records), encoding="utf-8")
    return tmp_path


def test_what_is_filled_in_becomes_a_source(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    export_answers(root, root / "out.jsonl", "jsonl")
    records = [json.loads(line) for line in (root / "out.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [record["ranking"] for record in records] == [[None, None]] * 2
    for turn, (record, ranking) in enumerate(zip(records, ([1, 2], [2, 1]), strict=True)):
        record["ranking"] = ranking
        (root / "back.jsonl").write_text(json.dumps(records[turn]) + "\n", encoding="utf-8")
        import_labels(root, root / "back.jsonl", root / "labels.jsonl")
    kept = [json.loads(line) for line in (root / "labels.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [(each["id"], each["ranking"]) for each in kept] == [("e1", [1.0, 2.0]), ("e2", [2.0, 1.0])]
    assert "collect.sources: {kind: file, path:" in capsys.readouterr().out


def test_what_cannot_be_taken_is_said(root: Path, tmp_path: Path) -> None:
    export_answers(root, root / "out.jsonl", "jsonl")
    with pytest.raises(LabelError, match="has no ranking yet: 2 questions wait"):
        import_labels(root, root / "out.jsonl", root / "labels.jsonl")
    (root / "out.jsonl").write_text("{", encoding="utf-8")
    with pytest.raises(LabelError, match="cannot be taken"):
        import_labels(root, root / "out.jsonl", root / "labels.jsonl")
    (root / ANSWERS).write_text("", encoding="utf-8")
    with pytest.raises(LabelError, match="has drawn no answers that differ"):
        export_answers(root, root / "out.jsonl", "jsonl")
    (root / ANSWERS).unlink()
    with pytest.raises(LabelError, match="run threeply run --until sample"):
        export_answers(root, root / "out.jsonl", "jsonl")


def test_a_model_ranks_them_and_what_it_has_ranked_is_kept(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: list[str] = []

    def fails_on_the_second_question(text: str) -> str:
        asked.append(text)
        if len(asked) > 2:
            raise TrainingError("no credit left")
        return "[[A]]" if "[Response A]\nA." in text else "[[B]]"

    answers, file = _answers(root), root / "judged.jsonl"
    with pytest.raises(TrainingError, match="no credit left"):
        judge_answers(answers, file, fails_on_the_second_question, at_once=1)
    judge_answers(answers, file, lambda _text: "[[C]]", at_once=2)
    assert "1 questions to judge, 2 requests; 1 are judged already" in capsys.readouterr().out
    import_labels(root, file, root / "labels.jsonl")
    kept = [json.loads(line) for line in (root / "labels.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [(each["ranking"], each["label"]) for each in kept] == [
        ([1.0, 2.0], "judge"),
        ([1.0, 1.0], "judge"),
    ]
    source = FileSource.model_validate({"kind": "file", "path": str(root / "labels.jsonl")})
    found = in_memory(read_file(source, watched=root)).rows.preferences
    assert [(row.chosen, row.rejected, row.label) for row in found] == [("A.", "B.", "judge")]


def test_a_model_without_verdicts_is_no_judge_and_its_file_is_its_own(root: Path) -> None:
    with pytest.raises(LabelError, match=r"4 of 4 replies had no verdict .*: this model is no judge"):
        judge_answers(_answers(root), root / "judged.jsonl", lambda _text: "Hello!", at_once=2)
    assert not (root / "judged.jsonl").exists()
    (root / "mine.jsonl").write_text('{"id": "other"}', encoding="utf-8")
    with pytest.raises(LabelError, match=r"mine.jsonl holds something else .*; name another file"):
        judge_answers(_answers(root), root / "mine.jsonl", lambda _text: "[[C]]", at_once=1)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--url", "localhost"], "no address"),
        (["--url", "http://a/v1", "--key-env", "NOT_THERE"], "variable NOT_THERE is not set"),
        (["--url", "http://a/v1", "--at-once", "0"], "--at-once is 0"),
    ],
)
def test_a_judge_that_cannot_be_asked_is_said_before(words: list[str], said: str) -> None:
    parser = argparse.ArgumentParser()
    add_flags(parser)
    with pytest.raises(LabelError, match=said):
        upstream(parser.parse_args(["judge", "out.jsonl", "--model", "m", *words]), {})

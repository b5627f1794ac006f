"""Protects `threeply label`: the file of a run goes out, comes back as a source, and old labels stay."""

import json
from pathlib import Path

import pytest

from flows.errors import LabelError
from flows.labelling import ANSWERS, export_answers, import_labels


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

"""Protects `threeply rows export` and `import`: the quarantine goes out, comes back, and passes then."""

import json
import shutil
from pathlib import Path

import pytest

from tasks.prepare.collect_settings import CorrectionsSource, FileSource, Source
from tasks.prepare.tracing.balance import balance
from tasks.prepare.tracing.stored import read_stored
from tests.flows.terminal import shown
from tests.tasks.prepare.tracing.chain import FAQ, run_chain, write_sources

pytestmark = pytest.mark.filterwarnings(r"ignore:module 'sre_\w+' is deprecated:DeprecationWarning")
SOURCES: list[Source] = [
    FileSource(kind="file", path=Path(FAQ)),
    CorrectionsSource(kind="corrections", path=Path("sources/corrections.jsonl")),
]


@pytest.fixture
def ran(here: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    """A project with rows in quarantine, as the current folder."""
    write_sources(here)
    run_chain(here, SOURCES)
    capsys.readouterr()
    return here


def told(capsys: pytest.CaptureFixture[str], *words: str, code: int = 0) -> str:
    return shown(capsys, "rows", *words, code=code)


def records(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_the_quarantine_is_corrected_and_passes(ran: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "out.jsonl has 1 rows" in told(capsys, "export", "out.jsonl")
    (record,) = records(ran / "out.jsonl")
    assert record["id"] == f"{FAQ}:wordy"
    assert str(record["why"]).startswith("validate: answer_length")
    assert "decides nothing yet: 1 rows wait" in told(capsys, "import", "out.jsonl", code=1)
    record["decision"] = "use"
    record["texts"] = {"question": "Is it long?", "answer": "Not now."}
    (ran / "out.jsonl").write_text(json.dumps(record) + "\n")
    said = told(capsys, "import", "out.jsonl")
    assert "collect.sources: {kind: corrections, path: sources/corrections.jsonl}" in said
    run_chain(ran, SOURCES)
    capsys.readouterr()
    stored = read_stored(ran / "data")
    assert stored.lost["validate"] == ()
    assert balance(stored, {}).faults == ()
    assert "Not now." in told(capsys, "why", f"{FAQ}:wordy")
    assert "validate has stopped no row: there is nothing to correct" in told(capsys, "export", "x", code=1)


def test_rows_that_clean_has_dropped_can_be_left_out_for_good(
    ran: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told(capsys, "export", "out.json", "--stage", "clean", "--reason", "conflict", "--format", "label-studio")
    tasks = json.loads((ran / "out.json").read_text())
    assert {task["data"]["id"] for task in tasks} == {f"{FAQ}:one, two", f"{FAQ}:three"}
    wrong = next(task for task in tasks if task["data"]["id"].endswith("three"))
    choice = {"from_name": "decision", "type": "choices", "value": {"choices": ["leave out"]}}
    wrong["annotations"] = [{"result": [choice]}]
    (ran / "out.json").write_text(json.dumps(tasks))
    assert "1 rows wait for a decision" in told(capsys, "import", "out.json")
    run_chain(ran, SOURCES)
    capsys.readouterr()
    stored = read_stored(ran / "data")
    assert balance(stored, {}).faults == ()
    assert "conflict" not in {row.reason for row in stored.lost["clean"]}
    said = told(capsys, "why", f"{FAQ}:three")
    assert "could not read it: left_out_by_people" not in said
    assert "left it out: left_out_by_people" in said
    assert "people have left it out" in said


def test_older_corrections_stay_beside_new_ones(ran: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for stage, name in (("validate", "wordy"), ("clean", "short")):
        told(capsys, "export", "out.jsonl", "--stage", stage)
        record = next(each for each in records(ran / "out.jsonl") if str(each["id"]).endswith(name))
        record["decision"] = "leave out"
        (ran / "out.jsonl").write_text(json.dumps(record) + "\n")
        told(capsys, "import", "out.jsonl")
    names = [each["id"] for each in records(ran / "sources/corrections.jsonl")]
    assert names == [f"{FAQ}:wordy", f"{FAQ}:short"]


def test_doubtful_labels_go_out_with_the_likelier_one(
    ran: Path, tiny_embedder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "no row has the task 'label'" in told(capsys, "export", "out.jsonl", "--doubtful", code=1)
    labelled = [
        {"id": n, "prompt": f"{word} {word} {n}", "completion": label, "task": "label"}
        for n in range(60)
        for word, label in [("kernel", "svm") if n % 2 else ("sort array", "numpy")]
    ]
    labelled[7]["completion"] = "numpy"  # of a text about kernels
    (ran / FAQ).write_text("".join(json.dumps(each) + "\n" for each in labelled))
    run_chain(ran, SOURCES, until="clean")
    shutil.copytree(tiny_embedder, ran / "data/models/embedder")
    capsys.readouterr()
    said = told(capsys, "export", "out.jsonl", "--doubtful")
    first = records(ran / "out.jsonl")[0]
    assert first["id"] == f"{FAQ}:7"
    assert str(first["why"]).startswith("label: doubtful svm is likelier, by ")
    assert "of 60 labels are doubtful" in said


@pytest.mark.parametrize("text", ["{", "[1]", '{"a": 1}\n'])
def test_a_file_that_holds_something_else_is_told(
    ran: Path, capsys: pytest.CaptureFixture[str], text: str
) -> None:
    (ran / "back.jsonl").write_text(text)
    assert "back.jsonl cannot be taken" in told(capsys, "import", "back.jsonl", code=1)
    assert "missing.jsonl cannot be taken" in told(capsys, "import", "missing.jsonl", code=1)

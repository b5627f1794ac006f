"""Protects `threeply rows`: a table that adds up, an answer to why, no text that drives the terminal."""

import json
import shutil
from pathlib import Path

import pytest

from tasks.prepare.collect_settings import FileSource
from tasks.prepare.tracing.stored import read_stored
from tasks.rows.learned import write_learned
from tasks.rows.reports import Report, row_counts, write_report
from tests.flows.terminal import shown
from tests.tasks.prepare.tracing.chain import FAQ, lines, run_chain, write_sources
from tests.tasks.rows.made import learned

pytestmark = pytest.mark.filterwarnings(r"ignore:module 'sre_\w+' is deprecated:DeprecationWarning")


@pytest.fixture
def ran(here: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    """A project whose rows are split, as the current folder."""
    write_sources(here)
    escape = {"id": "esc", "prompt": "Is it \x1b[2Jgone?", "completion": "It \x1b]0;is\x07."}
    with (here / FAQ).open("a", encoding="utf-8") as file:
        file.write(lines(escape))
    run_chain(here, [FileSource(kind="file", path=Path(FAQ))])
    capsys.readouterr()
    return here


def told(capsys: pytest.CaptureFixture[str], *words: str, code: int = 0) -> str:
    return shown(capsys, "rows", *words, code=code)


def trained(root: Path, entered: int) -> None:
    """Write the report of a fine-tuning that took in so many examples."""
    counts = row_counts("example", entered, trained=20, unused={"over sft.max_rows": entered - 20})
    write_report(root / "data/reports/sft.json", Report(stage="sft", rows=counts))


def test_the_table_adds_up_and_says_so(ran: Path, capsys: pytest.CaptureFixture[str]) -> None:
    splits = read_stored(ran / "data").splits
    assert splits is not None
    entered = len(splits["train"])
    trained(ran, entered)
    said = told(capsys)
    rows = [line.split() for line in said.splitlines() if line.startswith((FAQ, "all"))]
    assert rows[0][2] == "42"
    assert rows[0][2:] == rows[1][2:]
    assert sum(int(count) for count in rows[0][3:]) == 42
    assert f"{FAQ}, examples: clean conflict 2" in said
    assert f"sft: 20 trained on of {entered} examples; over sft.max_rows {entered - 20}" in said
    assert "Every row is accounted for" in said


def test_the_table_goes_on_to_the_tokens_that_were_learned_from(
    ran: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stored = read_stored(ran / "data")
    assert stored.splits is not None
    names = [row for row in stored.splits["train"] if row.kind == "example"]
    lines = [learned(name.id, name.source, taught=place < 20) for place, name in enumerate(names)]
    write_learned(ran / "data/models/sft", lines)
    counts = row_counts("example", len(names), trained=20, unused={"over": len(names) - 20})
    for tokens, code in ((140, 0), (141, 1)):
        report = Report(stage="sft", rows=counts, figures={"answer_tokens": tokens})
        write_report(ran / "data/reports/sft.json", report)
        said = told(capsys, code=code)
        (line,) = [each.split() for each in said.splitlines() if each.startswith(f"{FAQ} ")]
        assert line[-2:] == ["20", "140"]
        assert f"sft over sft.max_rows {len(names) - 20}" in said
    assert "does not add up: the rows have 140 trained tokens, and sft reports 141" in said


def test_training_on_another_split_does_not_add_up(ran: Path, capsys: pytest.CaptureFixture[str]) -> None:
    trained(ran, 1000)
    assert "examples, and sft took in 1000" in told(capsys, code=1)


def test_a_table_that_does_not_add_up_ends_with_an_error(
    ran: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copyfile(ran / "data/splits/test/examples.parquet", ran / "data/splits/train/examples.parquet")
    said = told(capsys, code=1)
    assert f"does not add up: {FAQ}: " in said
    assert "threeply status says which are stale" in said


def test_why_a_row_went_no_further_is_told_with_its_text(
    ran: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said = told(capsys, "why", f"{FAQ}:twice")
    assert f"example {FAQ}:twice, from {FAQ}" in said
    assert f"clean     dropped it: duplicate (of {FAQ}:kept 3)" in said
    assert "user: What about  thing number 3 of the shelf?" in said
    assert f"in its place stands {FAQ}:kept 3 (in " in said
    assert "what was judged: " in told(capsys, "why", f"{FAQ}:wordy")


def test_text_of_rows_cannot_drive_the_terminal(ran: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said = told(capsys, "why", f"{FAQ}:esc")
    assert "\x1b" not in said
    assert "\x07" not in said
    assert r"Is it \x1b[2Jgone?" in said


def test_long_texts_are_cut_and_say_so(ran: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with (ran / FAQ).open("a", encoding="utf-8") as file:
        file.write(json.dumps({"id": "long", "prompt": "Why?", "completion": "x" * 3000}) + "\n")
    run_chain(ran, [FileSource(kind="file", path=Path(FAQ))])
    capsys.readouterr()
    assert "(1,000 characters more)" in told(capsys, "why", f"{FAQ}:long")
    assert "x" * 3000 in told(capsys, "why", f"{FAQ}:long", "--whole")


def test_lost_rows_are_listed_by_stage_reason_and_source(
    ran: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said = told(capsys, "lost", "--reason", "conflict")
    assert f"{FAQ}:three example clean: conflict with {FAQ}:one, two" in said
    assert "2 of 2 rows; threeply rows why ID says more of one" in said
    assert told(capsys, "lost", "--stage", "clean", "--count", "1").count("\n") == 2


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["why", "twic"], 1, f"no row has the id 'twic'; like it are {FAQ}:twice"),
        (["why", "nobody at all"], 1, "threeply rows lost lists those that went no further"),
        (
            ["lost", "--reason", "duplicat"],
            2,
            "--reason 'duplicat' is wrong; it should be one of answer_length",
        ),
        (["lost", "--count", "0"], 2, "--count 0 is wrong"),
    ],
)
def test_wrong_words_are_told(
    ran: Path, capsys: pytest.CaptureFixture[str], words: list[str], code: int, message: str
) -> None:
    assert message in told(capsys, *words, code=code)


def test_before_the_first_run_the_next_step_is_told(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "no rows are collected below data yet" in told(capsys, code=1)

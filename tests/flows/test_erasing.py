"""Protects `threeply rows erase`: nothing without --apply, with it no word of the rows in what runs made."""

import json
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from flows.cli import main
from flows.place import occupied
from tasks.prepare.collect_settings import FileSource
from tasks.prepare.tracing.stored import read_stored
from tasks.rows.learned import write_learned
from tasks.rows.records import Learned
from tests.contents import hashes
from tests.flows.terminal import shown
from tests.tasks.prepare.tracing.chain import FAQ, SETTINGS, asked, lines, run_chain

pytestmark = pytest.mark.filterwarnings(r"ignore:module 'sre_\w+' is deprecated:DeprecationWarning")
SECRET = "Ada Lovelace of St James's Square"


@pytest.fixture
def ran(here: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    """A project after a run, with rows of one person: tables, a store, a cache, a report, a model."""
    (here / "sources").mkdir()
    kept = [asked(n, f"What about thing number {n} of the shelf?") for n in range(30)]
    hers = [asked(f"ada {n}", f"{SECRET} asks for book {n}, may she?", "Yes, she may.") for n in range(20)]
    (here / FAQ).write_text(lines(*kept, *hers))
    run_chain(here, [FileSource(kind="file", path=Path(FAQ))])
    (here / "data/index").mkdir()
    with closing(sqlite3.connect(here / "data/index/knowledge.sqlite")) as connection, connection:
        connection.execute("CREATE TABLE chunks (text)")
        connection.execute("INSERT INTO chunks VALUES (?)", (f"{SECRET} was here",))
    (here / "data/index/derived.json").write_text("{}")
    (here / "data/reports/answers.jsonl").write_text(json.dumps({"question": SECRET}) + "\n")
    (here / ".dvc/cache/files/md5/ab").mkdir(parents=True)
    cached = here / ".dvc/cache/files/md5/ab/cdef"
    cached.write_bytes((here / "data/raw/rows/examples.parquet").read_bytes())
    (here / ".dvc/cache/files/md5/ab/other").write_text("nothing of hers")
    (here / "data/models/sft").mkdir(parents=True)
    (here / "data/models/sft/adapter.safetensors").write_bytes(bytes(32))
    capsys.readouterr()
    return here


def told(capsys: pytest.CaptureFixture[str], *words: str, code: int) -> str:
    return shown(capsys, "rows", "erase", *words, code=code)


def test_without_apply_it_is_only_said_what_would_be_done(
    ran: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = hashes(ran / "data"), hashes(ran / ".dvc")
    said = told(capsys, "--match", "ada  lovelace", code=0)
    assert f"20 examples of {FAQ} would be erased" in said
    assert "data/index holds words of theirs and would be deleted" in said
    assert "data/reports/answers.jsonl holds words of theirs" in said
    assert ".dvc/cache/files/md5/ab/cdef holds words of theirs" in said
    assert "of them are in train or validation" in said
    assert "It cannot be taken out of data/models/sft" in said
    assert f"{FAQ}, lines 31, 32, 33, 34, 35, 36, 37, 38, 39, 40, ...: words of theirs stand there" in said
    assert "is read by each run" not in said  # the file is there: its lines are named
    assert "Nothing was changed" in said
    assert (hashes(ran / "data"), hashes(ran / ".dvc")) == before


def test_half_a_download_is_deleted_unread(ran: Path, capsys: pytest.CaptureFixture[str]) -> None:
    half = ran / ".threeply/cache/sources/ab/begun/12-rows.parquet.incomplete"
    half.parent.mkdir(parents=True)
    half.write_bytes(b"PAR1 and no more")
    said = told(capsys, "--match", SECRET, "--apply", code=1)
    assert (
        "rows.parquet.incomplete is half a download, which may hold words of theirs, and is deleted" in said
    )
    assert not half.exists()


def test_with_apply_no_word_is_left_once_the_source_is_rid_of_them(
    ran: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said = told(capsys, "--match", SECRET, "--apply", code=1)
    assert f"left in {FAQ}: take the lines out, or the next run collects them again" in said
    rest = [line for line in (ran / FAQ).read_text().splitlines() if SECRET not in line]
    (ran / FAQ).write_text("\n".join(rest) + "\n")
    for path in (path for path in ran.rglob("*") if path.is_file()):
        assert b"Lovelace" not in path.read_bytes(), path
    stored = read_stored(ran / "data")
    assert stored.raw is not None
    assert stored.splits is not None
    assert (len(stored.raw), sum(map(len, stored.splits.values()))) == (30, 30)
    assert not (ran / "data/index").exists()
    assert (ran / ".dvc/cache/files/md5/ab/other").exists()
    assert main(["rows"]) == 0
    assert "no row and no file of this project holds" in told(capsys, "--match", SECRET, "--apply", code=1)
    assert "no row that the stages keep is meant" in told(capsys, "--id", f"{FAQ}:ada 1", code=1)


def test_what_a_killed_erasing_has_left_is_found_by_the_same_words(
    ran: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (ran / FAQ).unlink()
    told(capsys, "--match", SECRET, "--apply", code=0)
    (ran / "data/reports/answers.jsonl").write_text(json.dumps({"question": SECRET}) + "\n")
    said = told(capsys, "--match", SECRET, "--apply", code=0)
    assert "data/reports/answers.jsonl holds words of theirs and is deleted" in said
    assert not (ran / "data/reports/answers.jsonl").exists()


def test_rows_are_erased_by_their_ids_and_found_by_what_they_alone_say(
    ran: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (ran / FAQ).write_text(lines(asked("x", "Nothing of hers?")))
    (ran / "data/reports/index.html").write_text(f"<td>{SECRET} asks for book 7, may she?</td>")
    said = told(capsys, "--id", f"{FAQ}:ada 7", "--apply", code=0)
    assert f"1 examples of {FAQ} are erased" in said
    assert "data/reports/index.html holds words of theirs and is deleted" in said
    assert "no words of theirs are left" in said
    stored = read_stored(ran / "data")
    assert stored.raw is not None
    assert len(stored.raw) == 49
    assert (ran / "data/index").exists()  # what it says, her other rows say, too


def test_a_copy_of_a_downloaded_vocabulary_is_no_trace(ran: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for place in ("data/models/base", "data/bundle", ".threeply/releases/abc/base"):
        (ran / place).mkdir(parents=True)
        (ran / place / "tokenizer.json").write_text(json.dumps({"vocab": {SECRET: 1}}))
    (ran / FAQ).unlink()
    assert "no words of theirs are left" in told(capsys, "--match", SECRET, "--apply", code=0)
    assert (ran / "data/bundle/tokenizer.json").exists()


def test_of_a_repetition_of_hers_it_is_told_no_more_whose_it_was(
    ran: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    twice = asked("mine", "What about thing number 1 of the shelf?")
    (ran / FAQ).write_text(lines(asked("Ada 1", twice["prompt"]), twice, asked("x", "Is it another?")))
    run_chain(ran, [FileSource(kind="file", path=Path(FAQ))], until="clean")
    (ran / FAQ).unlink()
    told(capsys, "--match", "Ada 1", "--apply", code=0)
    (lost,) = read_stored(ran / "data").lost["clean"]
    assert (lost.id, lost.reason, lost.detail) == (f"{FAQ}:mine", "duplicate", "erased")


def test_how_much_the_model_has_learned_from_them_is_told_exactly(
    ran: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    splits = read_stored(ran / "data").splits
    assert splits is not None
    names = [row.id for row in splits["train"] if ":ada" in row.id]
    told_of = {"kind": "example", "source": FAQ, "reason": ""}
    lines = [
        Learned(id=names[0], form="itself", times=1, tokens=5, **told_of),  # type: ignore[arg-type]
        Learned(id=names[0], form="companion", times=2, tokens=10, **told_of),  # type: ignore[arg-type]
        Learned(id=names[1], form="itself", times=0, tokens=0, **told_of),  # type: ignore[arg-type]
    ]
    write_learned(ran / "data/models/sft", lines)
    said = told(capsys, "--match", "ada  lovelace", code=0)
    assert "data/models/sft has learned from 1 of them, 15 tokens in all" in said
    write_learned(ran / "data/models/sft", lines[2:])
    assert "drew none of them for data/models/sft" in told(capsys, "--match", "ada  lovelace", code=0)


def test_which_of_the_later_models_have_learned_from_them_is_told(
    ran: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    splits = read_stored(ran / "data").splits
    assert splits is not None
    hers = next(row.id for row in splits["train"] if ":ada" in row.id)
    line = Learned(id=hers, kind="example", source=FAQ, form="sampled", times=3, tokens=0, reason="")
    write_learned(ran / "data/models/reward", [line, replace(line, form="itself")])
    write_learned(ran / "data/models/rlhf", [replace(line, id="another")])
    said = told(capsys, "--match", "ada  lovelace", code=0)
    assert "data/models/sft has no table of its rows: whether it has learned from them is not known" in said
    assert "data/models/reward has learned from 1 of them\n" in said
    assert "drew none of them for data/models/rlhf" in said
    capsys.readouterr()
    assert main(["rows", "why", hers]) == 0
    assert "reward    learned from it: by answers that were sampled to it, 3 times; as it is, 3 times" in (
        capsys.readouterr().out
    )


def test_rows_that_no_model_has_seen_leave_the_models_alone(
    ran: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stored = read_stored(ran / "data")
    assert stored.splits is not None
    tested = next(row.id for row in stored.splits["test"] if ":ada" in row.id)
    said = told(capsys, "--id", tested, code=0)
    assert "None of them is in train or validation: data/models has learned nothing from them" in said


def test_a_run_that_goes_on_is_not_disturbed(ran: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with occupied(ran):
        assert "another run is going on" in told(capsys, "--match", SECRET, "--apply", code=1)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((), "name the rows to erase: --match TEXT"),
        (("--match", " a "), "it should have 4 characters or more"),
    ],
)
def test_words_that_mean_everything_are_refused(
    ran: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], message: str
) -> None:
    assert message in told(capsys, *words, code=2)


def test_the_next_stage_goes_on_from_what_is_left(ran: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (ran / FAQ).write_text(
        lines(*(asked(n, f"What about thing number {n} of the shelf?") for n in range(30)))
    )
    told(capsys, "--match", SECRET, "--apply", code=0)
    run_chain(ran, [FileSource(kind="file", path=Path(FAQ))], settings=SETTINGS)
    assert main(["rows"]) == 0

"""Protects the data half from what goes wrong around it: it is told, and nothing is half-written."""

import contextlib
import json
import random
import resource
import string
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
import yaml

from tasks.command import main
from tasks.rows.records import Dropped, EvaluationItem, Rows
from tasks.rows.reports import Report, read_report, unbalanced, write_report
from tasks.rows.tables import read_rows, write_rows, write_table
from tests.conftest import ROOT
from tests.tasks.rows.made import document, question, rows

COLLECT = ("collect", "sources", "--raw", "out/rows", "--dropped", "out/dropped.parquet",
           "--evaluations", "out/evaluations.parquet", "--report", "out/collect.json")  # fmt: skip
CLEAN = ("clean", "rows", "--kept", "out/rows", "--dropped", "out/dropped.parquet",
         "--signals", "out/signals.parquet", "--report", "out/clean.json")  # fmt: skip
SPLIT = ("split", "rows", "quarantine.parquet", "gate.json", "evaluations.parquet",
         "--splits", "out/splits", "--report", "out/split.json")  # fmt: skip
VALIDATE = ("validate", "judged", "accepted.json", "--quarantine", "out/quarantine.parquet", "--profile",
            "out/profile.json", "--page", "out/page.html", "--report", "out/validate.json")  # fmt: skip
GATE = ("gate", "collect.json", "clean.json", "validate.json", "profile.json",
        "--accepted", "out/accepted.json", "--verdict", "out/gate.json")  # fmt: skip


def prose(chance: random.Random) -> str:
    """Text that does not pack: a row of it takes 1.5 KB."""
    return " ".join("".join(chance.choices(string.ascii_letters, k=9)) for _ in range(200))


def many() -> Rows:
    """Rows that take some 500 KB on a disk."""
    chance = random.Random(1)
    asked = [question(f"q{n}", f"Question {n}? {prose(chance)}", f"Answer {n}.") for n in range(300)]
    return rows(*asked, documents=[document("d")])


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with what each stage takes in, and params.yaml."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sources").mkdir()
    found = many()
    lines = [
        {"id": row.id, "prompt": row.prompt[0].content, "completion": row.answer} for row in found.examples
    ]
    (tmp_path / "sources/faq.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    write_rows(tmp_path / "rows", found)
    write_table(tmp_path / "quarantine.parquet", Dropped, [])
    write_table(tmp_path / "evaluations.parquet", EvaluationItem, [])
    write_report(tmp_path / "gate.json", Report(stage="gate", figures={"passed": True}))
    sources(tmp_path, "faq.jsonl")
    return tmp_path


def sources(place: Path, *names: str) -> None:
    """Write params.yaml with these files as sources, a folder among them as documents."""
    params = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))
    params["collect"]["sources"] = [
        {"kind": "file" if Path(name).suffix else "documents", "path": f"sources/{name}"} for name in names
    ]
    (place / "params.yaml").write_text(yaml.safe_dump(params), encoding="utf-8")


@contextlib.contextmanager
def full_disk(room: int = 64 * 2**10) -> Iterator[None]:
    """No file may grow beyond so many bytes, which libraries are told as they are told of a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("words", [COLLECT, CLEAN, SPLIT], ids=lambda words: words[0])
def test_a_full_disk_leaves_what_was_there_and_the_next_run_makes_it_whole(
    place: Path, words: Sequence[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words) == 0
    whole = contents(place / "out")
    first = next(path for path in place.rglob("*.parquet") if path.is_relative_to(place / "out"))
    with full_disk():
        assert main(words) != 0
    assert "the disk is full" in capsys.readouterr().err
    assert contents(place / "out") == whole
    first.unlink()
    with full_disk():
        assert main(words) != 0
    assert main(words) == 0
    assert contents(place / "out") == whole


# What each stage writes, in its order. In the test each is larger than those before, which then have room.
WRITTEN = {
    VALIDATE: ("profile.json", "quarantine.parquet", "validate.json", "page.html"),
    GATE: ("gate.json", "accepted.json"),
}


@pytest.mark.filterwarnings(r"ignore:module 'sre_\w+' is deprecated:DeprecationWarning")
@pytest.mark.parametrize("words", WRITTEN, ids=lambda words: words[0])
def test_validate_and_gate_tell_of_a_disk_that_is_full_at_any_of_their_files(
    place: Path, words: Sequence[str], capsys: pytest.CaptureFixture[str]
) -> None:
    names = (f"{random.Random(n).getrandbits(400):x}" for n in range(60))
    judged = [question(name, "Why?", " ", group=f"g{n}") for n, name in enumerate(names)]
    write_rows(place / "judged", rows(*judged))
    figures = {"expectations": {}, "fingerprint": ""}
    for stage in ("collect", "clean", "validate"):
        write_report(place / f"{stage}.json", Report(stage=stage, figures=figures))
    (place / "profile.json").write_text("as long as a profile is, " * 400)
    assert main(words) == 0
    whole = contents(place / "out")
    sizes = [len(whole[name]) for name in WRITTEN[tuple(words)]]
    assert sizes == sorted(sizes)
    for name, size in zip(WRITTEN[tuple(words)], sizes, strict=True):
        with full_disk(size - 1):
            assert main(words) != 0
        told = capsys.readouterr().err
        assert "the disk is full" in told
        assert f" while writing out/{name}; " in told
        assert "free some space and run again" in told
        assert contents(place / "out") == whole, f"as {name} could not be written"
    for path in (place / "out").iterdir():
        path.unlink()
    with full_disk(sizes[-1] - 1):
        assert main(words) != 0
    assert contents(place / "out") == {}
    assert main(words) == 0
    assert contents(place / "out") == whole


def contents(folder: Path) -> dict[str, bytes]:
    """Every file below a folder, with those that are hidden."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }


def test_a_source_that_has_gone_stops_the_stage_and_leaves_what_was_there(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(COLLECT) == 0
    whole = contents(place / "out")
    sources(place, "faq.jsonl", "gone.jsonl")
    assert main(COLLECT) != 0
    assert "error: sources/gone.jsonl is not there; correct the path" in capsys.readouterr().err
    assert contents(place / "out") == whole


@pytest.mark.parametrize(
    ("name", "content"),
    [("empty.jsonl", b""), ("empty.csv", b"prompt,completion\n"), ("empty.parquet", None)],
)
def test_an_empty_source_is_named(
    place: Path, name: str, content: bytes | None, capsys: pytest.CaptureFixture[str]
) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    if content is None:
        pq.write_table(pa.table({"prompt": pa.array([], pa.string())}), place / "sources" / name)
    else:
        (place / "sources" / name).write_bytes(content)
    sources(place, "faq.jsonl", name)
    assert main(COLLECT) != 0
    assert f"error: sources/{name} holds no rows; fill it, or take it out of" in capsys.readouterr().err
    assert not (place / "out/rows").exists()


def test_folders_that_lead_into_themselves_are_read_once(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    manual = place / "sources/manual"
    (manual / "deep").mkdir(parents=True)
    (manual / "deep/a.md").write_text("Text.")
    (manual / "deep/round").symlink_to(manual)
    (manual / "self.md").symlink_to(manual / "self.md")
    sources(place, "faq.jsonl", "manual")
    assert main(COLLECT) == 0
    assert [row.text for row in read_rows(place / "out/rows").documents] == ["Text."]
    assert "1 links to folders are not followed" in capsys.readouterr().out


def test_ids_that_stand_there_twice_lose_no_row_untold(place: Path) -> None:
    twice = [
        {"id": 1, "prompt": f"Which of the {n} halves is it?", "completion": "This one."} for n in range(3)
    ]
    other = [{"id": 1, "text": "A text."}, {"id": 1, "text": "Another text."}]
    for name, lines in (("faq.jsonl", twice), ("again.jsonl", twice), ("texts.jsonl", other)):
        (place / "sources" / name).write_text("".join(json.dumps(line) + "\n" for line in lines))
    sources(place, "faq.jsonl", "again.jsonl", "texts.jsonl")
    assert main(COLLECT) == 0
    assert main(("clean", "out/rows", *CLEAN[2:])) == 0
    report = read_report(place / "out/clean.json")
    assert unbalanced(report.rows) == []
    lost = {(row.kind, row.reason): row.count for row in report.rows if row.reason}
    # Ids are under the name of their file. The first row of each stays, and of the second file the first that
    # the other file has not said.
    assert lost == {
        ("example", "duplicate_id"): 3,
        ("example", "duplicate"): 1,
        ("document", "duplicate_id"): 1,
    }

"""Protects cleaning by shards: the same bytes for any shards and workers, also after it was killed."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deploy.files import files_below
from deploy.messages import Message
from tasks.machine.executors import InProcess
from tasks.machine.settings import ParallelSettings
from tasks.prepare import clean as stage
from tasks.prepare.clean import clean
from tasks.prepare.clean.steps import clean_rows
from tasks.rows import cutting
from tasks.rows.records import Dropped, Rows
from tasks.rows.tables import read_rows, read_table, write_rows
from tests.conftest import ROOT
from tests.tasks.prepare.cleaning import cleaning
from tests.tasks.rows.made import document, pair, question, rows
from tests.waiting import wait_until

T = TypeVar("T")
R = TypeVar("R")
ALONE = ParallelSettings(executor="local", workers=1)
SETTINGS = cleaning(language={"min_share": 0.3})
LONG = "You may keep a map or a film for {} weeks, and a book for longer if nobody else is waiting for it."
PAGE = "The desk by the bridge lends books, maps, films and records to all who live here, for four weeks."
MARKUP = "In HTML you write <b>bold</b> for letters that stand out, and close it behind the last of them."
MAIL, CALL = "anna@nordhafen.example", "+49 40 1234567"
# Of every step a row that it drops or changes for what stands in another shard.
ROWS = rows(
    question(
        "first", "How long may I keep a map or a film of yours?", LONG.format("four"), evidence=("page",)
    ),
    question("plain", "Where is the desk that lends books?", "By the bridge.", evidence=("copy",)),
    question("bold", "How do I write in bold?", "With a tag.", evidence=("tags",), quote="<b>bold</b>"),
    question("strange", "How do I write so?", "So.", evidence=("page",), quote="<b>so</b>"),
    question("who", "Whom do I ask here?", f"Write to {MAIL}.", evidence=("ask",), quote=f"{MAIL} or {CALL}"),
    question(
        "german",
        "Is it open today?",
        "Heute ist leider den ganzen Tag lang geschlossen, bitte morgen wieder.",
    ),
    question("cafe", "What is it called?", "caf\u00c3\u00a9"),
    question("one", "Is it far?", "It is far."),
    question("taken", "Is it near?", "No, it is not."),
    question("other", "is it, far", "It is near."),
    question("taken", "What else is there?", "A hall with a stage."),
    question("again", "where is the desk  that lends books?", "By the bridge.", evidence=("page",)),
    question(
        "near",
        "How long may I keep a map or a film of yours, please?",
        LONG.format("four"),
        evidence=("page",),
    ),
    question("lost", "Where is that?", "Over there.", evidence=("nowhere",)),
    question("own", "Is it far?", "Far.", held_out="own questions"),
    question("empty", "Why not?", " \n"),
    pairs=(
        pair("yes", "Yes.", "No."),
        pair("no", "No.", "Yes."),
        pair("twice", "Far away.", "Near by.", evidence=("copy",)),
        pair("again", "Far away.", "Near by.", evidence=("page",)),
        pair("equal", "Yes.", "Yes. "),
    ),
    documents=(
        document("page", PAGE),
        document("tags", MARKUP),
        document("ask", f"Ask {MAIL} or {CALL}, at any time."),
        document("copy", f"{PAGE} "),
        document("less", PAGE.removesuffix(", for four weeks.") + "."),
        document("page", "Another page under the same name."),
    ),
)


def cleaned(
    place: Path, *, raw: Path, how: ParallelSettings = ALONE, work: Path | None = None
) -> dict[str, bytes]:
    """The bytes of each output of the stage."""
    clean(
        raw,
        kept=place / "out/kept",
        dropped=place / "out/dropped.parquet",
        signals=place / "out/signals.parquet",
        report=place / "out/report.json",
        work=work or place / "work",
        settings=SETTINGS,
        parallel=how,
    )
    return outputs(place / "out")


def outputs(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files_below(folder)}


def written(place: Path, found: Rows, *, shard: int) -> Path:
    """The rows as a stage finds them, in shards of so many rows."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cutting, "ROWS_A_SHARD", shard)
        write_rows(place, found)
    return place


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """What one shard of each kind gives."""
    place = tmp_path_factory.mktemp("whole")
    return cleaned(place, raw=written(place / "raw", ROWS, shard=1000))


def test_one_shard_is_what_rows_in_memory_are(expected: dict[str, bytes], tmp_path: Path) -> None:
    for name, content in expected.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(content)
    whole = clean_rows(ROWS, SETTINGS)
    assert read_rows(tmp_path / "kept") == whole.rows
    assert tuple(read_table(tmp_path / "dropped.parquet", Dropped)) == whole.dropped
    assert {(row.kind, row.id): row.reason for row in whole.dropped} == {
        ("example", "empty"): "empty",
        ("example", "german"): "language",
        ("example", "taken"): "duplicate_id",
        ("example", "again"): "duplicate",
        ("example", "one"): "conflict",
        ("example", "other"): "conflict",
        ("example", "lost"): "missing_evidence",
        ("example", "near"): "near_duplicate",
        ("preference", "equal"): "equal_answers",
        ("preference", "yes"): "conflict",
        ("preference", "no"): "conflict",
        ("preference", "again"): "duplicate",
        ("document", "copy"): "duplicate",
        ("document", "page"): "duplicate_id",
        ("document", "less"): "near_duplicate",
    }
    kept = {row.id: row for row in whole.rows.examples}
    assert kept["plain"].evidence == ("page",)
    assert (kept["bold"].quote, kept["strange"].quote) == ("<b>bold</b>", "so")
    assert (kept["who"].quote, kept["cafe"].answer) == ("[email] or [phone]", "caf\u00e9")


@pytest.mark.parametrize("shard", [2, 5])
def test_any_shards_give_the_same_bytes(expected: dict[str, bytes], tmp_path: Path, shard: int) -> None:
    assert cleaned(tmp_path, raw=written(tmp_path / "raw", ROWS, shard=shard)) == expected


@pytest.mark.parametrize("executor", ["local", "ray"])
def test_any_workers_give_the_same_bytes(expected: dict[str, bytes], tmp_path: Path, executor: str) -> None:
    if executor == "ray":
        pytest.importorskip("ray", reason="the extra ray is not installed")
    how = ParallelSettings.model_validate({"executor": executor, "workers": 2})
    assert cleaned(tmp_path, raw=written(tmp_path / "raw", ROWS, shard=8), how=how) == expected


class Dying(InProcess):
    """Does so many things, and then no more."""

    def __init__(self, left: int) -> None:
        self.left, self.did = left, 0

    def map(self, act: Callable[[T], R], things: Iterable[T]) -> Iterator[R]:
        for thing in things:
            if not self.left:
                raise KeyboardInterrupt
            self.left -= 1
            yield act(thing)
            self.did += isinstance(act, partial)  # shards, and not what near texts are signed by


def test_it_goes_on_wherever_it_was_ended_and_does_nothing_twice(
    expected: dict[str, bytes],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    raw = written(tmp_path / "raw", ROWS, shard=6)
    done: list[int] = []

    def run(place: Path, left: int) -> dict[str, bytes]:
        dying = Dying(left)

        @contextmanager
        def executing(parallel: ParallelSettings, *, shards: int) -> Iterator[Dying]:
            yield dying

        monkeypatch.setattr(stage, "executing", executing)
        try:
            return cleaned(place, raw=raw)
        finally:
            done.append(dying.did)

    assert run(tmp_path / "whole", 10**6) == expected
    [whole], found = done, None
    done.clear()
    while found is None and len(done) < 40:
        try:
            found = run(tmp_path / "parts", 12)
        except KeyboardInterrupt:
            assert not (tmp_path / "parts/out").exists()
    assert found == expected
    assert sum(done) == whole
    assert len(done) > 4
    told = [line for line in capsys.readouterr().out.splitlines() if line.startswith("progress")]
    last = told[-1].split()[1].split("/")
    assert last[0] == last[1]


def test_a_killed_stage_keeps_its_shards_and_the_next_run_clears_them(
    expected: dict[str, bytes], tmp_path: Path
) -> None:
    written(tmp_path / "raw", ROWS, shard=2)
    text = (ROOT / "params.yaml").read_text(encoding="utf-8").replace("min_share: 0.05", "min_share: 0.3")
    words = ["clean", "raw", "--kept", "out/kept", "--dropped", "out/dropped.parquet"]
    words += ["--signals", "out/signals.parquet", "--report", "out/report.json"]

    def start(workers: int) -> "subprocess.Popen[bytes]":
        (tmp_path / "params.yaml").write_text(text.replace("workers: auto", f"workers: {workers}"))
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        return subprocess.Popen(
            [sys.executable, "-m", "tasks", *words], cwd=tmp_path, env=environment, start_new_session=True
        )

    work = tmp_path / ".threeply/work/clean"
    killed = start(workers=2)
    wait_until(lambda: len(list(work.glob("*/0[0-9]/*/summary.json"))) > 12, seconds=120)
    os.killpg(killed.pid, signal.SIGKILL)
    killed.wait()
    assert not (tmp_path / "out").exists() or not list((tmp_path / "out").glob("[!.]*"))
    finished = {path: path.stat().st_mtime_ns for path in work.glob("*/*/[!.]*/summary.json")}
    assert len(finished) > 12
    assert start(workers=1).wait() == 0  # finds what two workers have done
    assert outputs(tmp_path / "out") == expected
    assert not work.exists()


ANY = st.text(st.one_of(st.characters(codec="utf-8"), st.sampled_from("ab .\n<p>&lt;@")), max_size=8)
IDS = st.sampled_from(["1", "2", "3"])


@given(
    asked=st.lists(st.tuples(IDS, ANY, ANY, IDS), max_size=7),
    written_=st.lists(st.tuples(IDS, ANY), max_size=5),
    shard=st.integers(1, 4),
)
@settings(max_examples=6)
def test_any_rows_in_any_shards_come_to_the_same(
    asked: list[tuple[str, str, str, str]], written_: list[tuple[str, str]], shard: int
) -> None:
    found = rows(
        *(question(name, q, a, evidence=(of,), quote=a[:3]) for name, q, a, of in asked),
        pairs=[pair(name, a, q, prompt=(Message("user", q),), evidence=(of,)) for name, q, a, of in asked],
        documents=[document(*row) for row in written_],
    )
    steps = [step for step in SETTINGS.steps if step not in ("language", "near_duplicates")]
    how = SETTINGS.model_copy(update={"steps": steps})
    whole = clean_rows(found, how)
    with TemporaryDirectory() as place:
        folder = Path(place)
        clean(
            written(folder / "raw", found, shard=shard),
            kept=folder / "kept",
            dropped=folder / "dropped.parquet",
            signals=folder / "signals.parquet",
            report=folder / "report.json",
            work=folder / "work",
            settings=how,
            parallel=ALONE,
        )
        assert read_rows(folder / "kept") == whole.rows
        assert tuple(read_table(folder / "dropped.parquet", Dropped)) == whole.dropped
        told = json.loads((folder / "report.json").read_text())["figures"]
        assert told["repaired"] == whole.repaired

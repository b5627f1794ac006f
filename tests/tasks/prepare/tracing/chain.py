"""A small chain for tests: the real stages from collect to split, on rows that meet every outcome."""

import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from tasks.errors import GateError
from tasks.prepare.clean import clean
from tasks.prepare.collect import collect
from tasks.prepare.collect_settings import CollectSettings, FeedbackSource, FileSource, FolderSource, Source
from tasks.prepare.gate import gate
from tasks.prepare.split import split
from tasks.prepare.validate import validate
from tasks.settings import Settings
from tests.conftest import small_settings

FAQ, PAIRS, OWN, RATED = (f"sources/{name}.jsonl" for name in ("faq", "pairs", "own", "feedback"))
SETTINGS = small_settings(
    clean={"max_characters": 200},
    validate_={"min_examples": 1, "max_answer_words": 5},
    gate={"max_dropped": 0.9, "max_quarantined": 0.9},
)


def lines(*rows: Mapping[str, Any] | str) -> str:
    """JSONL; a row that is text stands there as it is."""
    return "".join(
        f"{row if isinstance(row, str) else json.dumps(row, ensure_ascii=False)}\n" for row in rows
    )


def asked(name: object, question: str, answer: str = "Because.", **more: Any) -> dict[str, Any]:
    """A record of a question."""
    return {"id": name, "prompt": question, "completion": answer, **more}


def write_sources(root: Path) -> None:
    """Files of rows that are kept, repaired, dropped, held back and left out, each for another reason."""
    (root / "sources/manual").mkdir(parents=True)
    (root / "sources/manual/a.md").write_text("# Loans\n\nTwo weeks.")
    (root / "sources/manual/b.md").write_text("# Loans\n\nTwo weeks.")
    (root / "sources/manual/c.md").write_bytes(b"caf\xe9")
    kept = [asked(f"kept {n}", f"What about thing number {n} of the shelf?") for n in range(28)]
    kept.append(asked("private", "Who is anna.adler@nordhafen.example?", "Our head of loans."))
    kept.append(asked("ben.brandt@nordhafen.example", "Who keeps the key of the cellar?"))
    (root / FAQ).write_text(
        lines(
            *kept,
            asked("twice", "What about  thing number 3 of the shelf?"),
            asked("kept 4", "Another question under an id that is taken?"),
            asked("short", "Why so short?", "x"),
            asked("one, two", "Which of both?", "This one."),
            asked("three", "Which of both?", "That one."),
            asked("mended", "Is it a caf\u00c3\u00a9 ?\u200b", "It is."),
            asked("wordy", "Is it long?", "one two three four five six seven"),
            asked("lost", "Where is it?", evidence="nowhere"),
            asked("near", "How long may a book of the library be kept at home?"),
            '{"prompt": "cut',
            asked("shape", {"no": "text"}),  # type: ignore[arg-type]
        )
    )
    pair = {"id": 1, "prompt": "Why?", "chosen": "Because.", "rejected": "No."}
    (root / PAIRS).write_text(lines(pair, pair | {"id": 2, "chosen": "No.", "rejected": "No. "}))
    (root / OWN).write_text(
        lines(asked("own", "How long may a book of the library be kept at home?", "Two weeks."))
    )
    rated = {"prompt": [{"role": "user", "content": "Who?"}], "responses": ["She."], "ratings": [1.0]}
    (root / RATED).write_text(lines(rated))


def sources(root: Path) -> list[Source]:
    """What params.yaml would name."""
    return [
        FolderSource(kind="markdown", path=root / "sources/manual"),
        FileSource(kind="file", path=root / FAQ),
        FileSource(kind="file", path=root / PAIRS),
        FileSource(kind="file", path=root / OWN, held_out="own questions"),
        FeedbackSource(kind="feedback", path=root / RATED),
    ]


def run_chain(
    root: Path, named: Sequence[Source], *, until: str = "split", settings: Settings = SETTINGS
) -> None:
    """Run the stages up to one, with the files that dvc.yaml gives them."""
    data, reports, accepted = root / "data", root / "data/reports", root / "data/accepted.json"
    stages = ("collect", "clean", "validate", "split")
    wanted = stages[: stages.index(until) + 1]
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("THREEPLY_CACHE", str(root / ".threeply/cache"))
        collect(
            root / "sources",
            raw=data / "raw/rows",
            dropped=data / "raw/dropped.parquet",
            evaluations=data / "raw/evaluations.parquet",
            report=reports / "collect.json",
            run=settings.run,
            settings=CollectSettings(sources=list(named)),
            split=settings.split,
        )
    if "clean" in wanted:
        with TemporaryDirectory() as work:
            clean(
                data / "raw/rows",
                kept=data / "clean/rows",
                dropped=data / "clean/dropped.parquet",
                signals=data / "clean/signals.parquet",
                report=reports / "clean.json",
                work=Path(work),
                settings=settings.clean,
                parallel=settings.parallel,
            )
    if "validate" in wanted:
        with TemporaryDirectory() as work:
            validate(
                data / "clean/rows",
                accepted if accepted.exists() else None,
                quarantine=data / "clean/quarantine.parquet",
                profile=data / "clean/profile.json",
                page=reports / "validation.html",
                report=reports / "validate.json",
                work=Path(work),
                settings=settings.validate_,
                collect=CollectSettings(sources=list(named)),
                clean=settings.clean,
                parallel=settings.parallel,
            )
    if "split" in wanted:
        shutil.rmtree(root / "work/split", ignore_errors=True)  # as after each stage that has ended
        told = [reports / f"{name}.json" for name in ("collect", "clean", "validate")]
        try:
            gate(
                *told,
                data / "clean/profile.json",
                accepted=accepted,
                verdict=reports / "gate.json",
                settings=settings.gate,
            )
        except GateError as error:
            raise AssertionError(f"these rows were to pass: {error}") from error
        split(
            data / "clean/rows",
            data / "clean/quarantine.parquet",
            reports / "gate.json",
            data / "raw/evaluations.parquet",
            splits=data / "splits",
            report=reports / "split.json",
            before=None,
            work=root / "work/split",
            parallel=settings.parallel,
            settings=settings.split,
            knowledge=settings.knowledge,
        )

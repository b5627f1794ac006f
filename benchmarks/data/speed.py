"""How fast the stages that prepare rows are: each from file to file, and each step of `clean` alone."""

import resource
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import repeat
from pathlib import Path
from typing import Any, TypeVar

from benchmarks.data.made import COPIES, Made, lines, records
from benchmarks.data.stages import PREPARING, SOURCES, make_place, run_stage
from benchmarks.places import DATA, changed
from tasks.machine.executors import InProcess
from tasks.machine.memory import peak_mib
from tasks.prepare.clean.steps import STEPS
from tasks.prepare.split.assigning import place
from tasks.prepare.tracing.stored import SPLITS
from tasks.prepare.validate.frames import frames
from tasks.prepare.validate.suites import check
from tasks.prepare.validate.tables import InFolder, InMemory
from tasks.prepare.validate_settings import ValidateSettings
from tasks.rows.records import Example, Rows
from tasks.rows.tables import FILES, read_rows
from tasks.settings import load_settings

T = TypeVar("T")
SEED = 0
MADE = SOURCES / "made.jsonl"
RAW, CLEAN = DATA / "raw/rows", DATA / "clean/rows"


def make(folder: Path, count: int, **clean: Any) -> None:
    """Write so many records as a source into `folder`, where stages can run; `clean` are its settings."""
    make_place(folder, [{"kind": "file", "path": MADE.as_posix()}], clean=clean)
    with (folder / MADE).open("w", encoding="utf-8") as file:
        file.writelines(lines(records(count, seed=SEED)))


def stages(folder: Path, count: int, *, until: str = PREPARING[-1]) -> dict[str, Any]:
    """What each stage makes of the records in `folder` a processor second, file to file, and its memory."""
    found: dict[str, Any] = {}
    for stage in PREPARING[: PREPARING.index(until) + 1]:
        used = run_stage(folder, stage)
        found[stage] = {"a_second": rate(count, used.cpu_seconds), "peak_mib": round(used.peak_mib)}
    return found


def without_near_groups(folder: Path, count: int) -> int:
    """Records that the stage `split` takes a processor second in `folder` where no texts are compared."""
    params = folder / "params.yaml"
    text = params.read_text(encoding="utf-8")
    params.write_text(changed(text, {"split": {"near_groups": None}}), encoding="utf-8")
    try:
        return rate(count, run_stage(folder, "split").cpu_seconds)
    finally:
        params.write_text(text, encoding="utf-8")


def steps(folder: Path, count: int) -> dict[str, Any]:
    """What each step of `clean` makes of the rows in `folder` a processor second, then suites and hashes.

    All within one process; `copies` says of near copies how many went, and whether others did. Suites judge
    what `stages` has cleaned, from its files; `figures_seconds` of it pass before Great Expectations begins.
    """
    settings = load_settings(folder / "params.yaml")
    rows = read_rows(folder / RAW)
    before = peak_mib()
    found: dict[str, Any] = {}
    gone: dict[str, str] = {}
    for name in settings.clean.steps:
        verdict, seconds = timed(partial(STEPS[name], rows, settings.clean))
        left = len(rows.examples)
        found[name] = {"rows": left, "dropped": len(verdict.dropped), "a_second": rate(left, seconds)}
        gone |= {row.id.rpartition(":")[2]: name for row in verdict.dropped}
        rows = verdict.rows
    after = peak_mib()
    groups = [row.group for row in rows.examples]
    del rows
    _, hashing = timed(lambda: [*map(place, groups, repeat(settings.split))])
    return {
        "steps": found,
        "read_mib": round(before),
        "steps_mib": round(after),
        **judged(folder / CLEAN, settings.validate_),
        "keys_a_second": rate(len(groups), hashing),
        "copies": copies(list(records(count, seed=SEED)), gone),
    }


def judged(folder: Path, settings: ValidateSettings) -> dict[str, Any]:
    """How many rows of a folder the suites judge in how many processor seconds.

    `figures_seconds` of `suites_seconds` pass before Great Expectations begins.
    """
    tables = InFolder(folder)
    check(InMemory(Rows.of(())), settings)  # imports what takes seconds whatever the rows
    _, figures = timed(lambda: frames(tables, InProcess()))
    _, judging = timed(lambda: check(tables, settings))
    return {
        "suites_rows": sum(tables.sizes("example")),
        "suites_seconds": round(judging, 2),
        "figures_seconds": round(figures, 2),
    }


def copies(made: Sequence[Made], gone: Mapping[str, str]) -> dict[str, Any]:
    """By kind the share of copies that went, and of what each step dropped the share that had a copy.

    `gone` has the step that dropped each record. A step that has dropped no copy at all is left out.
    """
    copied = {each.of for each in made if each.of}
    has_copy = {each.id: each.kind in COPIES or each.id in copied for each in made}
    planted = Counter(each.kind for each in made)
    went = Counter(each.kind for each in made if each.id in gone or each.of in gone)
    by_step: dict[str, Counter[bool]] = {}
    for name, step in gone.items():
        by_step.setdefault(step, Counter())[has_copy[name]] += 1
    return {
        "recall": {kind: round(went[kind] / planted[kind], 4) for kind in COPIES if planted[kind]},
        "precision": {
            step: round(some[True] / some.total(), 4) for step, some in by_step.items() if some[True]
        },
    }


def apart(folder: Path, made: Sequence[Made]) -> dict[str, float]:
    """By kind the share of copies that stand on another side of the split than what they copy."""
    import pyarrow.parquet as pq

    sides: dict[str, str] = {}
    for split in SPLITS:
        column = pq.read_table(folder / DATA / "splits" / split / FILES[Example], columns=["id"])["id"]
        sides |= {name.rpartition(":")[2]: split for name in column.to_pylist()}
    planted = Counter(each.kind for each in made if each.of)
    parted = Counter(
        each.kind
        for each in made
        if each.id in sides and each.of in sides and sides[each.id] != sides[each.of]
    )
    return {kind: round(parted[kind] / planted[kind], 4) for kind in COPIES if planted[kind]}


def timed(act: Callable[[], T]) -> tuple[T, float]:
    """What comes of it, and the processor seconds that this process and its ended children took for it."""
    began = _processor_seconds()
    made = act()
    return made, _processor_seconds() - began


def rate(count: int, seconds: float) -> int:
    """So many a second; less than a millisecond is not told from one."""
    return round(count / max(seconds, 0.001))


def _processor_seconds() -> float:
    used = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(each.ru_utime + each.ru_stime for each in used)

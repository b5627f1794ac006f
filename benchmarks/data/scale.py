"""The stages that prepare rows at a size that no memory holds: rate, memory and disk of each.

Records are made source by source. What is done stays in the folder, so that a run which was stopped goes on
with the stage that it was in.
"""

import json
import shutil
import sys
from pathlib import Path
from typing import Any

from benchmarks.data.made import BLOCK, lines, records
from benchmarks.data.speed import SEED, rate
from benchmarks.data.stages import PREPARING, SOURCES, make_place, run_stage
from benchmarks.data.watch import Watch
from deploy.atomic import replacing, write_json
from deploy.errors import ThreeplyError

SHARD = 20 * BLOCK  # records of a source
DONE = "scale.json"
RECORD = (
    4_000  # bytes of disk that a record takes at most: it stands in some tables, and in what they work with
)


def measured(folder: Path, count: int) -> dict[str, Any]:
    """What each stage makes of so many records a processor second, and the memory and disk that it takes.

    Raises:
        ThreeplyError: the disk is too full, what lies in `folder` is of other records, or a stage has failed.
    """
    if count < 1:
        raise ThreeplyError(f"{count} records cannot be measured; ask for 1 or more")
    folder.mkdir(parents=True, exist_ok=True)
    done = _done(folder, count)
    if not done["stages"]:
        _check_disk(folder, count)
    _make(folder, count)
    for number, stage in enumerate(PREPARING, 1):
        if stage in done["stages"]:
            _say(f"{count:,} records: {stage} was measured before")
            continue
        _say(f"{count:,} records: {stage}, {number} of {len(PREPARING)}")
        watch = Watch(folder)
        used = run_stage(folder, stage, watching=watch.of)
        done["stages"][stage] = {
            "a_second": rate(count, used.cpu_seconds),
            "cpu_seconds": round(used.cpu_seconds, 1),
            "memory_mib": round(watch.memory_mib),
            "disk_mib": round(watch.disk_mib),
        }
        write_json(folder / DONE, done)
    return {"records": count, "stages": {stage: done["stages"][stage] for stage in PREPARING}}


def _done(folder: Path, count: int) -> dict[str, Any]:
    path = folder / DONE
    if not path.exists():
        if any(folder.iterdir()) and not (folder / SOURCES).is_dir():
            raise ThreeplyError(f"{folder} has other files; name an empty folder, or one of a run before")
        return {"records": count, "stages": {}}
    try:
        done: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        before = done["records"]
    except (ValueError, KeyError, TypeError):
        raise ThreeplyError(f"{path} cannot be read; delete {folder} to begin again") from None
    if before != count:
        raise ThreeplyError(
            f"{folder} has {before:,} records, not {count:,}; name another folder or delete it"
        )
    return done


def _check_disk(folder: Path, count: int) -> None:
    free, needed = shutil.disk_usage(folder).free, count * RECORD
    if free < needed:
        raise ThreeplyError(
            f"{count:,} records need up to {needed / 2**30:,.0f} GiB, and the disk of {folder} has "
            f"{free / 2**30:,.0f} left; make room, or name a folder on another disk with --folder"
        )


def _make(folder: Path, count: int) -> None:
    """Write the records as sources, those that are not there yet."""
    paths = [SOURCES / f"made-{first:09d}.jsonl" for first in range(0, count, SHARD)]
    make_place(folder, [{"kind": "file", "path": path.as_posix()} for path in paths])
    for first, path in zip(range(0, count, SHARD), paths, strict=True):
        if (folder / path).exists():
            continue
        _say(f"{count:,} records: making those from {first:,} on")
        with replacing(folder / path) as partial, partial.open("w", encoding="utf-8") as file:
            file.writelines(lines(records(min(SHARD, count - first), seed=SEED, first=first)))


def _say(words: str) -> None:
    print(words, file=sys.stderr, flush=True)

"""A dirty file with known faults through the stages that prepare rows, as a source of a user's own."""

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.data.fates import fates
from benchmarks.data.scoring import scored
from benchmarks.data.stages import PREPARING, SOURCES, make_place, run_stage
from benchmarks.data.truth import DIRTY, read_lines
from deploy.errors import ThreeplyError
from tasks.prepare.settings import SplitSettings
from tasks.rows.reports import read_report, unbalanced

EVALUATION = "squad_dev.jsonl"  # beside the script: the questions that the fault `leakage` is made of
HELD_OUT = "held_out.jsonl"


def measured(script: Path, records: int, seed: int) -> dict[str, Any]:
    """The counts of a dirty file of so many lines that `script` makes from `seed`.

    Raises:
        ThreeplyError: the script or a stage has failed.
    """
    with TemporaryDirectory() as folder:
        place = Path(folder)
        command = [sys.executable, str(script), folder, "--records", str(records), "--seed", str(seed)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise ThreeplyError(f"{script} has failed:\n{done.stderr.strip()[-2000:]}")
        return through_stages(place, script.with_name(EVALUATION))


def through_stages(place: Path, evaluation: Path) -> dict[str, Any]:
    """The counts of the dirty file that lies in `place` with its truth.

    The questions of the file `evaluation`, where it is there, are an evaluation set that is listed; where
    none can be, a test set of the user's own.

    Raises:
        ThreeplyError: a stage has failed.
    """
    lines = read_lines(place)
    source, held = (SOURCES / DIRTY).as_posix(), (SOURCES / HELD_OUT).as_posix()
    listed = "evaluations" in SplitSettings.model_fields
    sources: list[Mapping[str, Any]] = [{"kind": "file", "path": source}]
    sections: dict[str, Mapping[str, Any]] = {}
    if evaluation.is_file() and listed:
        sections["split"] = {"evaluations": [held]}
    elif evaluation.is_file():
        sources.append({"kind": "file", "path": held, "held_out": "evaluation set"})
    make_place(place, sources, **sections)
    (place / DIRTY).rename(place / source)
    if evaluation.is_file():
        write_held_out(evaluation, place / held)
    for stage in PREPARING:
        print(f"{stage} of {len(lines)} lines", file=sys.stderr, flush=True)
        run_stage(place, stage)
    told = scored(lines, fates(place / "data", source, {line.id: line.number for line in lines}))
    reports = [place / "data/reports" / f"{stage}.json" for stage in PREPARING]
    return told | {"unbalanced": sum(len(unbalanced(read_report(path).rows)) for path in reports)}


def write_held_out(evaluation: Path, path: Path) -> None:
    """Each question of a file once, with its first answer: two answers to one question are no test set."""
    asked: dict[str, str] = {}
    for row in map(json.loads, evaluation.read_text(encoding="utf-8").splitlines()):
        answer = (row["answers"] or ["The text does not say."])[0]
        line = json.dumps({"prompt": row["question"].strip(), "completion": answer}, ensure_ascii=False)
        asked.setdefault(" ".join(row["question"].split()).casefold(), line)
    path.write_text("\n".join(asked.values()) + "\n", encoding="utf-8")


def added(counts: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The sums of counts, number by number, however deep they stand."""
    whole: dict[str, Any] = {}
    for some in counts:
        for name, value in some.items():
            if isinstance(value, Mapping):
                whole[name] = added([whole.get(name, {}), value])
            else:
                whole[name] = whole.get(name, 0) + value
    return whole

"""Two runs on halves of the pairs: one that is fine-tuned, rewarded and optimised, and one that judges it."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.places import DATA, run_stage
from flows.place import make_place
from tasks.machine.settings import overlay
from tasks.rows.records import Preference
from tasks.rows.tables import read_table
from tasks.settings import read_params

PLACES = Path("build/preferences")
PROFILE = Path("profiles/preferences.yaml")
HELD_OUT = "held out"


def halves(lines: Sequence[str]) -> tuple[list[str], list[str]]:
    """The pairs in two parts; those of conversations that begin alike stand in one of them."""
    parts: tuple[list[str], list[str]] = ([], [])
    for line in lines:
        first = str(json.loads(line)["prompt"]).split("\n\nAssistant:")[0]
        parts[hashlib.sha256(first.encode()).digest()[0] % 2].append(line)
    return parts


def prepared(
    project: Path, name: str, files: Mapping[str, Sequence[str]], changes: Mapping[str, Any]
) -> Path:
    """A place under the profile whose sources are `files`; that called `HELD_OUT` is a test set."""
    place = project / PLACES / name
    values = overlay(read_params(project / "params.yaml"), read_params(project / PROFILE))
    sources = [
        {"kind": "file", "path": f"sources/{_file(file)}", "teaches": file != HELD_OUT}
        | ({"held_out": file} if file == HELD_OUT else {})
        for file in files
    ]
    values = overlay(values, {"collect": {"sources": sources}, **changes})
    make_place(project, place, json.dumps(values))
    for file, lines in files.items():
        (place / "sources" / _file(file)).write_text("\n".join(lines) + "\n", encoding="utf-8")
    return place


def held_out_pairs(data: Path) -> list[Preference]:
    """The pairs of the source `HELD_OUT` that the run whose outputs lie in `data` has kept."""
    rows = read_table(data / "splits" / "test" / "preferences.parquet", Preference)
    return [row for row in rows if row.held_out == HELD_OUT]


def judge(place: Path, optimised: Path) -> Path:
    """A reward model on the pairs of `place` that starts from the fine-tuned model of another place.

    Raises:
        ThreeplyError: the stage has failed (it has told why).
    """
    adapter, other = place / DATA / "judge", optimised.resolve() / DATA
    if adapter.is_dir():
        return adapter
    models = other / "models"
    inputs = [DATA / "splits", models / "base", models / "embedder", other / "index", models / "sft"]
    outputs = {"adapter": "judge", "curve": "judge.csv", "report": "judge.json"}
    run_stage(place, "reward", [*inputs, other / "samples"], outputs)
    return adapter


def _file(name: str) -> str:
    return f"{name.replace(' ', '-')}.jsonl"

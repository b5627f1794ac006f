"""Two runs on halves of the pairs: one that is fine-tuned, rewarded and optimised, and one that judges it."""

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from io import StringIO
from pathlib import Path
from typing import Any

from deploy.errors import ThreeplyError
from flows.place import CACHE, make_place
from tasks.machine.settings import overlay
from tasks.settings import read_params

PLACES = Path("build/preferences")
PROFILE = Path("profiles/preferences.yaml")
DATA = Path("data")
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
    make_place(project, place, _written(values))
    for file, lines in files.items():
        (place / "sources" / _file(file)).write_text("\n".join(lines) + "\n", encoding="utf-8")
    return place


def run(project: Path, place: Path, *, until: str) -> None:
    """Run the chain in `place` up to a stage.

    Raises:
        ThreeplyError: it has failed (it has told why).
    """
    shared = {**os.environ, "THREEPLY_CACHE": str((project / CACHE).resolve())}  # models are downloaded once
    command = [sys.executable, "-m", "flows", "run", "--no-release", "--until", until]
    if subprocess.run(command, cwd=place, env=shared, check=False).returncode:
        raise ThreeplyError(f"the run in {place} has failed; what it said stands above")


def judge(place: Path, optimised: Path) -> Path:
    """A reward model on the pairs of `place` that starts from the fine-tuned model of another place.

    Raises:
        ThreeplyError: the stage has failed (it has told why).
    """
    adapter, models = place / DATA / "judge", optimised.resolve() / DATA / "models"
    if adapter.is_dir():
        return adapter
    inputs = [DATA / "splits", models / "base", models / "embedder", optimised.resolve() / DATA / "index"]
    options = {"adapter": DATA / "judge", "curve": DATA / "judge.csv", "report": DATA / "judge.json"}
    words = [*map(str, inputs), str(models / "sft"), str(optimised.resolve() / DATA / "samples")]
    named = [part for name, path in options.items() for part in (f"--{name}", str(path))]
    command = [sys.executable, "-m", "tasks", "reward", *words, "--prompts", "sources/prompts", *named]
    if subprocess.run(command, cwd=place, check=False).returncode:
        raise ThreeplyError(f"the judge in {place} has failed; what it said stands above")
    return adapter


def _file(name: str) -> str:
    return f"{name.replace(' ', '-')}.jsonl"


def _written(values: Mapping[str, Any]) -> str:
    from ruamel.yaml import YAML

    text = StringIO()
    YAML().dump(dict(values), text)
    return text.getvalue()

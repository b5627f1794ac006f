"""Trains the variants: each in a place of its own, from the fine-tuned model of the last run."""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.places import DATA, calibrate_once, changed, folder_name, params_with, train_once
from deploy.errors import ThreeplyError
from tasks.settings import Settings

PLACES = Path("build/algorithms")
CONTROL = "more fine-tuning"
START = "sft"  # the model that all start from
# By the name of a row the settings of `rlhf` that are its own.
VARIANTS: dict[str, dict[str, Any]] = {
    "grpo": {"algorithm": "grpo"},
    CONTROL: {"algorithm": "sft", "learns_from": "answers"},
    "rloo": {"algorithm": "rloo"},
    "ppo": {"algorithm": "ppo"},
    "dpo": {"algorithm": "dpo"},
    "kto": {"algorithm": "kto"},
    "dpo, pairs": {"algorithm": "dpo", "learns_from": "preferences"},
    "kto, pairs": {"algorithm": "kto", "learns_from": "preferences"},
    "orpo, pairs": {"algorithm": "orpo", "learns_from": "preferences"},
}


def own(name: str, settings: Settings) -> dict[str, Any]:
    """The settings of `rlhf` by which a row is trained: an update draws as many prompts for all of them."""
    chosen = {"learns_from": "samples", **VARIANTS[name]}
    drawn = {"prompts": settings.rlhf.drawn_prompts, "redraws": 1}
    more = {} if chosen["learns_from"] == "samples" else drawn
    return {**chosen, **more, "rewards": {"score": 1.0}, "keep": "always"}


def trained(project: Path, name: str, words: Sequence[str] = (), seed: int | None = None) -> Path:
    """The place where a row has been trained and calibrated, with these words of `rlhf`.

    `seed` is that of its training alone; the model it starts from stays. None: the seed of params.yaml.

    Raises:
        ThreeplyError: a stage has failed (it has told why).
    """
    text, settings = params_with(project / "params.yaml", "rlhf", words)
    values: dict[str, dict[str, Any]] = {"rlhf": own(name, settings)}
    parts = [name, *words]
    if seed is not None and seed != settings.run.seed:
        values["run"] = {"seed": seed}
        parts.append(f"seed={seed}")
    place = project.resolve() / PLACES / folder_name(parts)
    params = changed(text, values)
    data = project.resolve() / DATA
    common = [
        data / "splits",
        data / "models" / "base",
        data / "models" / "retriever",
        data / "index",
        data / "models" / "sft",
    ]
    train_once(
        project,
        place,
        params=params,
        start=_start(project),
        stage="rlhf",
        inputs=[*common, data / "samples", data / "models" / "reward", "sources/rewards"],
        outputs={"adapter": "adapter", "curve": "curve.csv", "report": "report.json"},
    )
    calibrate_once(place, common)
    return place


def _start(project: Path) -> str:
    """What tells the model that all start from, and what it may learn from, from others."""
    paths = (DATA / "models" / "sft" / "adapter_model.safetensors", DATA / "samples" / "answers.jsonl")
    for path in paths:
        if not (project / path).is_file():
            raise ThreeplyError(f"{path} is not there; threeply run --until reward makes it")
    return "".join(hashlib.sha256((project / path).read_bytes()).hexdigest() for path in paths)

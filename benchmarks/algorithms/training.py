"""Trains the variants: each in a place of its own, from the fine-tuned model of the last run."""

import hashlib
from pathlib import Path
from typing import Any

from benchmarks.places import DATA, calibrate_once, changed, train_once
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


def trained(project: Path, name: str, settings: Settings) -> Path:
    """The place where a row has been trained and calibrated.

    Raises:
        ThreeplyError: a stage has failed (it has told why).
    """
    place = project.resolve() / PLACES / name.replace(", ", "-").replace(" ", "-")
    params = changed((project / "params.yaml").read_text(encoding="utf-8"), {"rlhf": own(name, settings)})
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

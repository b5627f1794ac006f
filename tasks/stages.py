"""The table of stages: a name, and where its function lives."""

import importlib
import inspect
import typing
from collections import ChainMap
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deploy.settings import Section

STAGES: dict[str, str] = {
    "base": "tasks.base",
    "collect": "tasks.collect",
    "clean": "tasks.clean",
    "validate": "tasks.validate",
    "gate": "tasks.gate",
    "split": "tasks.split",
    "index": "tasks.index",
    "search": "tasks.search",
    "sft": "tasks.sft",
    "reward": "tasks.reward",
    "rlhf": "tasks.rlhf",
    "evaluate": "tasks.evaluate",
    "bundle": "tasks.bundle",
    "report": "tasks.report",
}
# The stages of lab/dvc.yaml, which compares methods on the rows that the chain has made.
LAB: dict[str, str] = {
    "trial": "tasks.trial",
    "compare": "tasks.compare",
}
# The stages of recipes/dvc.yaml: labels for texts and pictures.
RECIPES: dict[str, str] = {
    "classify": "tasks.classify",
    "vision": "tasks.vision",
    "images": "tasks.images",
}
ALL: Mapping[str, str] = ChainMap(RECIPES, LAB, STAGES)  # in their order: it begins with the last


@dataclass(frozen=True, slots=True)
class Stage:
    """A stage as its signature tells it: positional paths are inputs, keyword paths are outputs.

    `many` says that the last input may be given any number of times. `sections` maps parameter names to
    the settings that they take, `values` those of plain values to their type. `resumable` stages take a
    `work` folder for their checkpoints.
    """

    name: str
    function: Callable[..., None]
    inputs: tuple[str, ...]
    many: bool
    outputs: tuple[str, ...]
    sections: dict[str, type[Section]]
    resumable: bool
    values: dict[str, type]


def load_stage(name: str) -> Stage:
    """The stage called `name`; imports its module."""
    function: Callable[..., None] = getattr(importlib.import_module(ALL[name]), name)
    hints = typing.get_type_hints(function)
    inputs: list[str] = []
    outputs: list[str] = []
    sections: dict[str, type[Section]] = {}
    values: dict[str, type] = {}
    many = resumable = False
    for parameter in inspect.signature(function).parameters.values():
        kind: Any = hints[parameter.name]
        if isinstance(kind, type) and issubclass(kind, Section):
            sections[parameter.name] = kind
        elif kind in (int, str):
            values[parameter.name] = kind
        elif kind is not Path:
            raise AssertionError(
                f"{name}({parameter.name}): a stage takes paths, settings and plain values, not {kind}"
            )
        elif parameter.name == "work":
            resumable = True
        elif parameter.kind is inspect.Parameter.KEYWORD_ONLY:
            outputs.append(parameter.name)
        else:
            inputs.append(parameter.name)
            many = many or parameter.kind is inspect.Parameter.VAR_POSITIONAL
    return Stage(name, function, tuple(inputs), many, tuple(outputs), sections, resumable, values)

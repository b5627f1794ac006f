"""Which stages there are, and what each takes and gives, as its signature tells it."""

import importlib
import inspect
import typing
from collections import ChainMap
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deploy.settings import PromptSettings, Section

STAGES: dict[str, str] = {
    "base": "tasks.prepare.base",
    "collect": "tasks.prepare.collect",
    "clean": "tasks.prepare.clean",
    "validate": "tasks.prepare.validate",
    "gate": "tasks.prepare.gate",
    "split": "tasks.prepare.split",
    "index": "tasks.prepare.index",
    "query_encoder": "tasks.training.query_encoder",
    "rerank": "tasks.training.rerank",
    "knowledge": "tasks.release.knowledge",
    "search": "tasks.training.search",
    "sft": "tasks.training.sft",
    "sample": "tasks.training.sample",
    "reward": "tasks.training.reward",
    "rlhf": "tasks.training.rlhf",
    "calibrate": "tasks.evaluation.calibrate",
    "evaluate": "tasks.evaluation.evaluate",
    "card": "tasks.release.card",
    "bundle": "tasks.release.bundle",
    "report": "tasks.release.report",
}
# The stages of lab/dvc.yaml, which compares methods on the rows that the chain has made.
LAB: dict[str, str] = {
    "trial": "tasks.lab.trial",
    "compare": "tasks.lab.compare",
}
# The stages of recipes/dvc.yaml: labels for texts and pictures.
RECIPES: dict[str, str] = {
    "classify": "tasks.recipes.classify",
    "vision": "tasks.recipes.vision",
    "images": "tasks.recipes.images",
}
ALL: Mapping[str, str] = ChainMap(RECIPES, LAB, STAGES)  # in their order: it begins with the last


@dataclass(frozen=True, slots=True)
class Stage:
    """A stage as its signature tells it: positional paths are inputs, keyword paths are outputs.

    `many` says that the last input may be given any number of times; those that are `optional` need not be
    there, and the stage is given None. `sections` maps parameter names to the settings that they take (None:
    all sections by their names), `values` those of plain values to their type. `resumable` stages take a
    `work` folder for their checkpoints; those that are `standing` take their first output as it was `before`
    (None: it was not there), which DVC keeps for them (`persist`). A stage that is `prompted` reads the
    template that params.yaml names: its command names the folder of the user's own ones, so that they are
    inputs as well.
    """

    name: str
    function: Callable[..., None]
    inputs: tuple[str, ...]
    many: bool
    outputs: tuple[str, ...]
    sections: dict[str, type[Section] | None]
    resumable: bool
    values: dict[str, type]
    optional: tuple[str, ...] = ()
    standing: bool = False

    @property
    def prompted(self) -> bool:
        """Whether the stage is given the section `prompt`."""
        return PromptSettings in self.sections.values()


def load_stage(name: str) -> Stage:
    """The stage called `name`; imports its module."""
    function: Callable[..., None] = getattr(importlib.import_module(ALL[name]), name)
    hints = typing.get_type_hints(function)
    inputs: list[str] = []
    optional: list[str] = []
    outputs: list[str] = []
    sections: dict[str, type[Section] | None] = {}
    values: dict[str, type] = {}
    many = resumable = standing = False
    for parameter in inspect.signature(function).parameters.values():
        kind: Any = hints[parameter.name]
        if isinstance(kind, type) and issubclass(kind, Section):
            sections[parameter.name] = kind
        elif kind == Mapping[str, Section]:
            sections[parameter.name] = None
        elif parameter.name == "before":
            standing = True
        elif kind == Path | None:
            inputs.append(parameter.name)
            optional.append(parameter.name)
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
    return Stage(
        name,
        function,
        tuple(inputs),
        many,
        tuple(outputs),
        sections,
        resumable,
        values,
        tuple(optional),
        standing,
    )

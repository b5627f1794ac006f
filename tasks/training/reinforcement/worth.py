"""What a response is worth: the score of a reward model, of the task, of the user's functions, or a sum."""

import importlib.util
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from tasks.errors import TrainingError
from tasks.rows.records import Example
from tasks.scoring.scores import score
from tasks.training.rlhf_settings import LENGTH, MODEL, OURS, SCORE

if TYPE_CHECKING:
    from torch import Tensor

    from tasks.training.reinforcement.rollouts import Group

FUNCTION = "reward"  # the name of the function in a file of the user
Function = Callable[[str, str, str], float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """A prompt as served, in tokens, with its example and the tokens of its good answer.

    `coverage` is how much of its question the sources cover. One of a preference has `answers` that people or
    a rule have judged, and what each is worth (`worths`).
    """

    tokens: tuple[int, ...]
    example: Example
    target: tuple[int, ...] = ()
    coverage: float = 0.0
    answers: tuple[tuple[int, ...], ...] = ()
    worths: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Worth:
    """Judges responses; `weights` says by what, and how much each part counts.

    The task's score is always told, since a reward that rises while it falls has found a blind spot.
    `decode` turns response tokens into what a user would read.
    """

    weights: Mapping[str, float]
    decode: Callable[[Sequence[int]], str]
    functions: Mapping[str, Function] = field(default_factory=dict)

    @property
    def asks_model(self) -> bool:
        """Whether a reward model is needed."""
        return self.weights.get(MODEL, 0.0) > 0.0

    def parts(self, prompts: Sequence[Prompt], groups: Sequence["Group"]) -> "dict[str, Tensor]":
        """For each part that needs no model what each response is worth, [responses], group by group.

        Raises:
            TrainingError: a function of the user raises, or gives something that is no finite number.
        """
        import torch

        found: dict[str, list[float]] = {name: [] for name in (SCORE, LENGTH, *self.functions)}
        for prompt, group in zip(prompts, groups, strict=True):
            for response in group.responses:
                text = self.decode(response)
                found[SCORE].append(score(prompt.example, text))
                found[LENGTH].append(nearness(text, prompt.example.answer))
                for name, function in self.functions.items():
                    found[name].append(_called(name, function, prompt.example, text))
        return {name: torch.tensor(values) for name, values in found.items()}

    def total(self, parts: "Mapping[str, Tensor]") -> "Tensor":
        """The weighted sum of the parts, [responses]; 0 where nothing weighs."""
        import torch

        total = torch.zeros_like(parts[SCORE])
        for name, weight in self.weights.items():
            if weight:
                total = total + weight * parts[name]
        return total


def nearness(answer: str, reference: str) -> float:
    """How near an answer's length is to that of the good one: 0 where it is the same, less the further it is.

    It is minus the distance of the logarithms of both, in characters: half of the length is as bad as twice.
    """
    return -abs(math.log((1 + len(answer)) / (1 + len(reference))))


def read_functions(folder: Path, names: Sequence[str]) -> dict[str, Function]:
    """The function `reward(question, answer, reference)` of each file `NAME.py` in `folder`.

    Raises:
        TrainingError: a file is missing, cannot be read as Python, has no such function, or has the name of
            one of our own rewards.
    """
    for taken in sorted(OURS):
        if (path := folder / f"{taken}.py").is_file():
            raise TrainingError(f"{path} has the name of a reward that there is; give it another")
    return {name: _read(folder / f"{name}.py") for name in names}


def _read(path: Path) -> Function:
    spec = importlib.util.spec_from_file_location(f"reward_{path.stem}", path)
    if not path.is_file() or spec is None or spec.loader is None:
        raise TrainingError(
            f"rlhf.rewards names {path.stem}, and there is no {path}; write it with a function "
            f"{FUNCTION}(question, answer, reference) that returns a number"
        )
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise TrainingError(f"{path} cannot be read: {type(error).__name__}: {error}") from error
    found = getattr(module, FUNCTION, None)
    if not callable(found):
        raise TrainingError(f"{path} has no function {FUNCTION}(question, answer, reference)")
    function: Function = found
    return function


def _called(name: str, function: Function, example: Example, text: str) -> float:
    try:
        value = function(example.prompt[-1].content, text, example.answer)
    except Exception as error:
        raise TrainingError(
            f"the reward function {name} failed on an answer to {example.id}: {type(error).__name__}: {error}"
        ) from error
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise TrainingError(
            f"the reward function {name} returned {value!r} for an answer to {example.id}; it has to return "
            "a finite number"
        )
    return float(value)

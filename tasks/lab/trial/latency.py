"""How long a token takes: under the base model, under the adapter as it is served, and as it is trained.

The last is what serving would cost with the adapter beside the weights, before anything is merged into
them. It depends on shapes alone, so it is measured on a fresh one. The three take turns, and their medians
are compared.
"""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deploy.adapters.switching import Adapters
from deploy.engines.decoding import decode
from deploy.engines.engine import Sampling
from tasks.machine.device import Device
from tasks.methods import METHODS
from tasks.methods.method import Material
from tasks.methods.parts.base_model import load_base
from tasks.training.settings import SftSettings

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

TOKENS, PROMPT = 24, 128


@dataclass(frozen=True, slots=True, kw_only=True)
class Speeds:
    """Milliseconds a token, of one request alone; None where there is no adapter."""

    base_ms: float
    served_ms: float | None
    attached_ms: float | None


def speeds(
    base: Path,
    adapter: Path | None,
    sft: SftSettings,
    tokenizer: "PreTrainedTokenizerBase",
    device: Device,
    *,
    rounds: int,
) -> Speeds:
    """The time of a token under the model in `base` and under the adapter that `sft` has left.

    Each answers `rounds` times.
    """
    plain = _ready(load_base(base, device))
    ways: dict[str, Callable[[], None]] = {"base": lambda: _generate(plain, None)}
    if adapter is not None:
        model = _ready(load_base(base, device))
        served = Adapters(model, {sft.method: adapter}, stored=model.dtype)
        served.activate(sft.method)
        ways["served"] = lambda: _generate(model, served.virtual_tokens)
        if (attached := _attached(base, sft, tokenizer, device)) is not None:
            ways["attached"] = lambda: _generate(attached, None)
    taken: dict[str, list[float]] = {way: [] for way in ways}
    for way in ways.values():
        way()  # the first pass is slower than the others
    for _ in range(rounds):
        for name, way in ways.items():
            started = time.perf_counter()
            way()
            taken[name].append(1000 * (time.perf_counter() - started) / TOKENS)
    median = {name: round(statistics.median(values), 2) for name, values in taken.items()}
    return Speeds(base_ms=median["base"], served_ms=median.get("served"), attached_ms=median.get("attached"))


def _attached(
    base: Path, sft: SftSettings, tokenizer: "PreTrainedTokenizerBase", device: Device
) -> "PreTrainedModel | None":
    """The model with a fresh adapter beside its weights; None for what stands before a prompt either way."""
    rows = [tuple(range(3, 3 + PROMPT))]
    adapted = METHODS[sft.method].attach(
        load_base(base, device), sft.chosen, Material(tokenizer=tokenizer, rows=rows)
    )
    return None if adapted.hidden is not None else _ready(adapted.model)


def _ready(model: "PreTrainedModel") -> "PreTrainedModel":
    model.config.use_cache = True
    return model.eval()


def _generate(model: "PreTrainedModel", virtual_tokens: Any) -> None:
    prompt = list(range(3, 3 + PROMPT))
    sampling = Sampling(max_new_tokens=TOKENS)
    for _ in decode(
        model, [prompt], sampling=sampling, goes_on=lambda *_: True, virtual_tokens=virtual_tokens
    ):
        pass

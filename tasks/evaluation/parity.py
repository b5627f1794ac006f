"""Measures whether a tuned model is one and the same as trained, as saved, as merged and as served.

Every form reads the same real prompts and the same answers. In float32 forms that are the same differ by
rounding alone, so they are compared in it; what a shorter format costs in serving is told beside that.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from deploy.adapters.merging import merge_into
from deploy.adapters.reading import read_adapter
from deploy.assistant import Assistant
from deploy.engines.local import TransformersEngine
from tasks.evaluation.arms import Answered
from tasks.evaluation.measuring import Served
from tasks.evaluation.parity_record import Distance, Parity
from tasks.evaluation.reading import AnswerTokens, Reading, readings
from tasks.evaluation.repeating import LAYERS, expected
from tasks.methods.parts.base_model import load_base
from tasks.methods.parts.loading import load_trained

if TYPE_CHECKING:
    from torch import Tensor
    from transformers import PreTrainedTokenizerBase

    from tasks.evaluation.reading import Logits
    from tasks.machine.device import Device

NEAR_TIE = 1e-3  # nats by which the likeliest token leads; below it rounding may choose another


def parity(
    base: Path,
    adapters: Mapping[str, Path],
    answered: Mapping[str, Sequence[Answered]],
    served: Served,
    device: "Device",
    *,
    count: int,
) -> dict[str, Parity]:
    """The parity of each of the `adapters` over its first `count` answers; nothing for a count of 0.

    What is `served` has the precision of `device`.
    """
    if not count:
        return {}
    engine, assistant = served.engine, served.assistant
    exact = replace(device, precision="float32")
    whole = engine
    if device.precision != "float32":
        whole = TransformersEngine(base, adapters, dtype="float32", device=device.name)
    found: dict[str, Parity] = {}
    for name, folder in adapters.items():
        answers = answered[name][:count]
        rows = [_row(answer, assistant, served.tokenizer) for answer in answers]
        trained = readings(load_trained(base, folder, exact), rows)
        with engine.held(name) as logits:
            as_served = readings(logits, rows)
        forms = {"saved": as_served}
        if whole is not engine:
            with whole.held(name) as logits:
                forms["saved"] = readings(logits, rows)
        if (merged := _merged(base, folder, exact)) is not None:
            forms["merged"] = readings(merged, rows)
        found[name] = Parity(
            answers=len(rows),
            tokens=sum(len(row.tokens) - row.start for row in rows),
            forms={form: distance(read, trained) for form, read in forms.items()},
            precision=device.precision,
            rounding=distance(as_served, trained) if whole is not engine else None,
            expected=expected(
                name, [answer.example for answer in answers], served, precision=device.precision
            ),
        )
        print(f"parity of {name}: {found[name].forms}", flush=True)
    return found


def distance(form: Sequence[Reading], trained: Sequence[Reading]) -> Distance:
    """How far a form is from the trained one."""
    pairs = list(zip(form, trained, strict=True))
    gap = max(float((one.chances - other.chances).abs().max()) for one, other in pairs)
    differing = [
        bool(((one.likeliest != other.likeliest) & (other.leads > NEAR_TIE)).any()) for one, other in pairs
    ]
    return Distance(gap=float(f"{gap:.3g}"), differing=sum(differing))


def _row(answer: Answered, assistant: Assistant, tokenizer: "PreTrainedTokenizerBase") -> AnswerTokens:
    """The answer behind the prompt that it was given to."""
    example = answer.example
    [composed] = assistant.compose([example.prompt], layers=LAYERS, exclude=[example.withheld])
    return AnswerTokens.of(composed.messages, answer.text, tokenizer)


def _merged(base: Path, folder: Path, device: "Device") -> "Logits | None":
    """The model with the adapter in its weights; None for one that is more than a change of weights."""
    import torch

    adapter = read_adapter(folder)
    if adapter.added or adapter.virtual_tokens is not None:
        return None
    model = load_base(base, device).eval()
    merge_into(model, folder)

    def logits(rows: "Tensor") -> "Tensor":
        with torch.inference_mode():
            made: Tensor = model(input_ids=rows.to(device.name)).logits
            return made

    return logits

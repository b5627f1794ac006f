"""The reward model: an adapter that shares its lower layers with sft, and a head that scores an answer.

A rollout is scored by what stands at its last real token: the end of turn. Lengths are passed in, never
found by a padding token, so a padding token that equals the end of turn does no harm.
"""

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from deploy.adapters.names import on_disk
from tasks.errors import TrainingError
from tasks.machine.device import Device
from tasks.methods.parts.base_model import load_classifier
from tasks.methods.parts.files import load_adapter, read_config, read_weights
from tasks.methods.parts.targets import layer_of

if TYPE_CHECKING:
    from peft import PeftModel
    from torch import Tensor, nn


SCORE = on_disk("score.weight")  # the head in the adapter's file, [1, hidden size]
_MEMBER = "member-"


def member(folder: Path, number: int) -> Path:
    """The folder of a member of the reward model in `folder`; the first one is that folder itself."""
    return folder / f"{_MEMBER}{number}" if number else folder


def members(folder: Path) -> list[Path]:
    """The folders of all members, the first one first."""
    return [folder, *sorted(folder.glob(f"{_MEMBER}*"))]


def scores(model: "PeftModel", rows: Sequence[Sequence[int]], *, batch_size: int = 8) -> list[float]:
    """The score of each tokenised conversation (prompt, answer and end of turn), in order."""
    import torch

    order = sorted(range(len(rows)), key=lambda row: len(rows[row]))
    found = [0.0] * len(rows)
    model.eval()
    for start in range(0, len(order), batch_size):
        part = order[start : start + batch_size]
        longest = len(rows[part[-1]])
        padded = torch.tensor([[*rows[row], *[0] * (longest - len(rows[row]))] for row in part])
        ends = torch.tensor([[len(rows[row]) - 1] for row in part])
        with torch.no_grad():
            values = score_at(model, padded, ends)
        for row, value in zip(part, values.flatten().tolist(), strict=True):
            found[row] = value
    return found


def score_at(
    model: "PeftModel",
    input_ids: "Tensor",
    ends: "Tensor",
    *,
    mask: "Tensor | None" = None,
    positions: "Tensor | None" = None,
) -> "Tensor":
    """The scores read at the positions `ends` [rows, answers] of right-padded rows, same shape.

    Attention looks to the left, so padding on the right needs no mask; `mask` and `positions` are for rows
    that hold several answers to one prompt.
    """
    base = model.get_base_model()
    ids, at = input_ids.to(model.device), ends.to(model.device)
    seen, places = (None if each is None else each.to(model.device) for each in (mask, positions))
    hidden = base.base_model(
        input_ids=ids, attention_mask=seen, position_ids=places, use_cache=False
    ).last_hidden_state
    chosen = hidden.gather(1, at.unsqueeze(-1).expand(-1, -1, hidden.shape[-1]))
    return base.score(chosen.float()).squeeze(-1)


def new_reward_model(base: Path, sft: Path, device: Device) -> "PeftModel":
    """A classifier on `base` whose adapter starts as that of `sft`, with a small random head.

    The head is drawn by torch's generator: seed it before.
    """
    import torch
    from peft import get_peft_model, set_peft_model_state_dict

    model = load_classifier(base, device)
    torch.nn.init.normal_(model.score.weight, std=model.config.hidden_size**-0.5 / 10)
    config = read_config(sft)
    config.task_type, config.modules_to_save = "SEQ_CLS", ["score"]
    config.inference_mode, config.base_model_name_or_path = False, None
    head = model.score.weight.detach().clone()
    peft = get_peft_model(model, config)
    result = set_peft_model_state_dict(peft, {**read_weights(sft), SCORE: head})
    if result.unexpected_keys:
        raise TrainingError(f"the sft adapter in {sft} does not fit the base: {result.unexpected_keys[0]}")
    return peft


def load_reward_model(base: Path, adapter: Path, device: Device) -> "PeftModel":
    """The reward model whose adapter and head lie in `adapter`.

    Raises:
        TrainingError: they are missing or do not fit.
    """
    return load_adapter(load_classifier(base, device), adapter)


def train_only(model: "nn.Module", layers: Collection[int]) -> int:
    """Let the adapter of these layers and the score head learn, and nothing else; how many numbers learn."""
    for name, parameter in model.named_parameters():
        adapted = "lora_" in name and layer_of(name) in layers
        head = ".score." in name and "original_module" not in name
        parameter.requires_grad_(adapted or head)
    return sum(part.numel() for part in model.parameters() if part.requires_grad)

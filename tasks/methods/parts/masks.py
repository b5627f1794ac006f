"""Which weights stay, and how they are kept out. Import this module late: torch is needed to define it."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize
from transformers import PreTrainedModel

from tasks.errors import TrainingError
from tasks.methods.parts.targets import linear_modules


def input_norms(model: PreTrainedModel, rows: Sequence[Sequence[int]]) -> dict[str, Tensor]:
    """For each linear module the length of each input over all tokens of `rows`, [inputs].

    Raises:
        TrainingError: there are no rows to measure by.
    """
    if not rows:
        raise TrainingError("pruning by activations needs rows to measure by, and there are none")
    sums: dict[str, Tensor] = {}
    hooks = []

    def measure(name: str) -> Any:
        def hook(_: nn.Module, inputs: tuple[Tensor, ...]) -> None:
            squares = inputs[0].detach().float().flatten(0, -2).square().sum(dim=0)
            sums[name] = sums[name] + squares if name in sums else squares

        return hook

    for name, module in linear_modules(model).items():
        hooks.append(module.register_forward_pre_hook(measure(name)))
    try:
        with torch.no_grad():
            for row in rows:
                model.get_decoder()(input_ids=torch.tensor([list(row)], device=model.device), use_cache=False)
    finally:
        for hook in hooks:
            hook.remove()
    return {name: squares.sqrt() for name, squares in sums.items()}


def masks(
    modules: Mapping[str, nn.Linear], share: float, norms: Mapping[str, Tensor] | None
) -> dict[str, Tensor]:
    """For each module which weights stay, as booleans of the weight's shape.

    Without `norms` the `share` smallest of each matrix go; with them, the smallest of |weight| x norm in each
    row.
    """
    # All of them before anything that goes: small tensors between large ones would leave holes in the heap.
    result = {name: torch.ones_like(module.weight, dtype=torch.bool) for name, module in modules.items()}
    for name, module in modules.items():
        size = module.weight.detach().float().abs()
        if norms is None:
            gone = int(size.numel() * share)
            order = size.flatten().argsort()
            result[name].view(-1)[order[:gone]] = False
        else:
            order = (size * norms[name].to(size)).argsort(dim=1)
            result[name].scatter_(1, order[:, : int(size.shape[1] * share)], value=False)
    return result


def hold(parameter: Tensor, mask: Tensor) -> None:
    """Let no gradient reach the weights that are out: zeros then stay zeros, weight decay included."""
    parameter.register_hook(lambda gradient: gradient * mask)  # type: ignore[no-untyped-call]


def cut_channels(model: PreTrainedModel, share: float, norms: Mapping[str, Tensor]) -> list[str]:
    """Cut the `share` least used channels out of each feed-forward part; the names of the weights changed.

    A channel's use is the length of its column in the last map times that of its activations. For parts with
    `gate_proj`, `up_proj` and `down_proj`, as the Llama family has them.

    Raises:
        TrainingError: the model has no such parts.
    """
    changed: list[str] = []
    for name, module in list(model.named_modules()):
        parts = {part: getattr(module, part, None) for part in ("gate_proj", "up_proj", "down_proj")}
        linear = {part: inner for part, inner in parts.items() if isinstance(inner, nn.Linear)}
        if len(linear) < len(parts):
            continue
        down = linear["down_proj"]
        use = down.weight.detach().float().norm(dim=0) * norms[f"{name}.down_proj"].to(down.weight.device)
        stay = use.argsort(descending=True)[: max(1, round(len(use) * (1.0 - share)))].sort().values
        for part, inner in linear.items():
            weight = inner.weight.data
            inner.weight.data = (weight[:, stay] if part == "down_proj" else weight[stay]).contiguous()
            if part == "down_proj":
                inner.in_features = len(stay)
            else:
                inner.out_features = len(stay)
                if inner.bias is not None:
                    inner.bias.data = inner.bias.data[stay].contiguous()
                    changed.append(f"{name}.{part}.bias")
            changed.append(f"{name}.{part}.weight")
    if not changed:
        raise TrainingError(
            "pruning.kind channels knows feed-forward parts with gate_proj, up_proj and down_proj alone; "
            "choose magnitude or wanda for this model"
        )
    return changed


class MaskedLowRank(nn.Module):
    """W becomes W + scale x (B A) where the mask lets it: a parametrisation of a linear module's weight."""

    def __init__(self, weight: Tensor, mask: Tensor | None, *, rank: int, alpha: int) -> None:
        super().__init__()
        rank = min(rank, *weight.shape)
        self.lora_A = nn.Parameter(torch.empty(rank, weight.shape[1], device=weight.device))
        self.lora_B = nn.Parameter(torch.zeros(weight.shape[0], rank, device=weight.device))
        nn.init.kaiming_uniform_(self.lora_A, a=5**0.5)
        self.scale = alpha / rank
        self.register_buffer("mask", mask, persistent=False)

    def forward(self, weight: Tensor) -> Tensor:
        """The weight with what has been learned."""
        gain = self.lora_B @ self.lora_A * self.scale
        mask = self.mask
        if isinstance(mask, Tensor):
            gain = gain * mask
        return weight + gain.to(weight.dtype)


def attach_masked_lora(
    modules: Mapping[str, nn.Linear], kept: Mapping[str, Tensor], *, rank: int, alpha: int
) -> None:
    """Let a masked LoRA learn on each of the modules."""
    low_rank = {  # all of them first, as in `masks`
        name: MaskedLowRank(module.weight.requires_grad_(False), kept.get(name), rank=rank, alpha=alpha)
        for name, module in modules.items()
    }
    for name, module in modules.items():
        parametrize.register_parametrization(module, "weight", low_rank[name])

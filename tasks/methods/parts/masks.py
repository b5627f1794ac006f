"""Which weights stay, and how they are kept out. Import this module late: torch is needed to define it."""

from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize
from transformers import PreTrainedModel

from tasks.errors import TrainingError


def prune_magnitude(modules: Mapping[str, nn.Linear], share: float) -> dict[str, Tensor]:
    """Make the `share` smallest weights of each matrix zero; which stay, as booleans of its shape."""
    kept = _whole(modules)
    for name, module in modules.items():
        size = module.weight.detach().float().abs()
        kept[name].view(-1)[size.flatten().argsort()[: int(size.numel() * share)]] = False
        module.weight.data.mul_(kept[name])
    return kept


def prune_wanda(
    model: PreTrainedModel, modules: Mapping[str, nn.Linear], share: float, rows: Sequence[Sequence[int]]
) -> dict[str, Tensor]:
    """Make the smallest of |weight| x length of its input zero in each row of a matrix; which stay.

    All rows pass the model once, and each matrix is pruned as they reach it: it is measured by what those
    before it, pruned already, hand on (Sun et al. 2023, section 3 and algorithm 1).

    Raises:
        TrainingError: there are no rows to measure by.
    """
    kept, seen = _whole(modules), set[str]()

    def prune(name: str, module: nn.Linear, norm: Tensor) -> None:
        if name in seen:
            return
        seen.add(name)
        size = module.weight.detach().float().abs()
        order = (size * norm.to(size)).argsort(dim=1)
        kept[name].scatter_(1, order[:, : int(size.shape[1] * share)], value=False)
        module.weight.data.mul_(kept[name])

    _measured(model, modules, rows, prune)
    for name, module in modules.items():  # what no row has come by, such as an idle expert, by its size alone
        prune(name, module, torch.ones(module.in_features))
    return kept


def input_norms(
    model: PreTrainedModel, modules: Mapping[str, nn.Linear], rows: Sequence[Sequence[int]]
) -> dict[str, Tensor]:
    """For each module the length of each input over all tokens of `rows`, [inputs].

    Raises:
        TrainingError: there are no rows to measure by.
    """
    found: dict[str, Tensor] = {}
    _measured(model, modules, rows, lambda name, _, norm: found.update({name: norm}))
    return found


def _whole(modules: Mapping[str, nn.Linear]) -> dict[str, Tensor]:
    # All of them before anything that goes: small tensors between large ones would leave holes in the heap.
    return {name: torch.ones_like(module.weight, dtype=torch.bool) for name, module in modules.items()}


def _measured(
    model: PreTrainedModel,
    modules: Mapping[str, nn.Linear],
    rows: Sequence[Sequence[int]],
    each: Callable[[str, nn.Linear, Tensor], None],
) -> None:
    """Let `rows` pass the model as one batch; `each` is told the lengths of a module's inputs."""
    if not rows:
        raise TrainingError("pruning by activations needs rows to measure by, and there are none")
    longest = max(map(len, rows))
    batch = torch.tensor([[*row, *[0] * (longest - len(row))] for row in rows], device=model.device)
    real = torch.tensor([[True] * len(row) + [False] * (longest - len(row)) for row in rows])
    real = real.view(-1, 1).to(model.device)

    def hook(name: str, module: nn.Linear, inputs: tuple[Tensor, ...]) -> None:
        # Tokens may come in another order and number, as where experts share them out: then all count.
        flat = inputs[0].detach().flatten(0, -2)
        flat = flat * real if len(flat) == len(real) else flat
        each(name, module, torch.linalg.vector_norm(flat, dim=0, dtype=torch.float32))

    hooks = [
        module.register_forward_pre_hook(lambda module, inputs, name=name: hook(name, module, inputs))
        for name, module in modules.items()
    ]
    try:
        with torch.no_grad():
            model.get_decoder()(input_ids=batch, use_cache=False)
    finally:
        for handle in hooks:
            handle.remove()


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

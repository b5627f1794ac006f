"""LoRA layers that train as one matrix product instead of three.

PEFT computes `W x + s B (A x)`: two small products and three passes over the output for each layer, all
bound by memory on a CPU. In float32 W' = W + s B A is formed once a step, not once a token: the output is
written once, and the backward pass needs one large product. A frozen bfloat16 weight is too coarse for that
sum; there `[W, B] [x, s A x]` is one product, whose sums are float32 inside. Where inputs are dropped, or W
is packed into four bits, W x stays a product of its own, and beside it x is kept once, in its own precision,
where PEFT would keep a copy in float32. The numbers are the same up to rounding (Hu et al. 2021,
arXiv:2106.09685, section 4.1).

Import this module late: torch is needed to define it.
"""

from types import MethodType
from typing import Any

import torch
from peft.tuners.lora import Linear, LoraLayer
from torch import Tensor, nn
from torch.nn import functional


def fuse_lora(model: nn.Module) -> int:
    """Let every plain LoRA layer of `model` compute in this way; returns how many do.

    Layers with several active adapters, a bias or a variant such as DoRA keep PEFT's way.
    """
    chosen = [module for module in model.modules() if isinstance(module, LoraLayer) and _plain(module)]
    for module in chosen:
        whole = isinstance(module, Linear) and not _dropped(module)
        module.forward = MethodType(_forward if whole else _forward_apart, module)
    return len(chosen)


def at_work(module: Any) -> str:
    """The name of the adapter by which a fused layer computes."""
    return next(name for name in module.active_adapters if name in module.lora_A)


def goes_beside(module: Any) -> bool:
    """Whether a fused layer has a weight in bfloat16 on a CPU, its adapter beside it in one product."""
    whole = getattr(module.forward, "__func__", None) is _forward
    weight = module.base_layer.weight if whole else None
    return weight is not None and weight.dtype == torch.bfloat16 and weight.device.type == "cpu"


def _plain(module: Any) -> bool:
    active = [name for name in module.active_adapters if name in module.lora_A]
    if len(active) != 1 or active[0] in module.lora_variant:
        return False
    packed = hasattr(module.get_base_layer().weight, "quant_state")
    known = packed or (isinstance(module, Linear) and not module.fan_in_fan_out)
    return known and not module.lora_bias[active[0]]


def _dropped(module: Any) -> bool:
    return any(getattr(part, "p", 0.0) > 0 for part in module.lora_dropout.values())


def _forward(self: Any, x: Tensor) -> Tensor:
    base = self.base_layer
    if self.disable_adapters or self.merged:
        return base(x)
    name = at_work(self)
    a, b = self.lora_A[name].weight, self.lora_B[name].weight
    chosen = _Merged if x.dtype == base.weight.dtype == torch.float32 else _Beside
    return chosen.apply(x, base.weight, base.bias, a, b, self.scaling[name])  # type: ignore[no-untyped-call]


def _forward_apart(self: Any, x: Tensor) -> Tensor:
    wide = self.base_layer(x)
    if self.disable_adapters or self.merged:
        return wide
    name = at_work(self)
    a, b = self.lora_A[name].weight, self.lora_B[name].weight
    kept = self.lora_dropout[name](x)
    return wide + _Thin.apply(kept, a, b, self.scaling[name])  # type: ignore[no-untyped-call]


class _Merged(torch.autograd.Function):
    """y = x (W + s B A)' + bias in float32, for a frozen W."""

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None, a: Tensor, b: Tensor, scaling: float
    ) -> Tensor:
        merged = torch.addmm(weight, b, a, alpha=scaling)
        ctx.save_for_backward(x, merged, a, b)
        ctx.scaling = scaling
        return functional.linear(x, merged, bias)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        x, merged, a, b = ctx.saved_tensors
        rows, inputs = _flat(gradient), _flat(x)
        grad_x = gradient @ merged if ctx.needs_input_grad[0] else None
        grad_a = grad_b = None
        if ctx.needs_input_grad[3]:
            grad_a = ((rows @ b).T @ inputs).mul_(ctx.scaling)
            grad_b = (rows.T @ (inputs @ a.T)).mul_(ctx.scaling)
        return grad_x, None, None, grad_a, grad_b, None


class _Beside(torch.autograd.Function):
    """y = [x, s x A'] [W, B]' + bias in the dtype of x, for a frozen W; A and B are float32."""

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None, a: Tensor, b: Tensor, scaling: float
    ) -> Tensor:
        down, up = a.to(x.dtype), b.to(x.dtype)
        inner = functional.linear(x, down).mul_(scaling)
        ctx.save_for_backward(x, weight, inner, down, up)
        ctx.scaling = scaling
        return functional.linear(torch.cat([x, inner], -1), torch.cat([weight, up], -1), bias)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        x, weight, inner, down, up = ctx.saved_tensors
        back = (gradient @ up).mul_(ctx.scaling)
        grad_x = grad_a = grad_b = None
        if ctx.needs_input_grad[0]:
            grad_x = torch.cat([gradient, back], -1) @ torch.cat([weight, down])
        if ctx.needs_input_grad[3]:
            grad_a = (_flat(back).T @ _flat(x)).float()
            grad_b = (_flat(gradient).T @ _flat(inner)).float()
        return grad_x, None, None, grad_a, grad_b, None


class _Thin(torch.autograd.Function):
    """y = s B A x in the dtype of x; A and B are float32."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, a: Tensor, b: Tensor, scaling: float) -> Tensor:
        down, up = a.to(x.dtype), b.to(x.dtype)
        inner = functional.linear(x, down).mul_(scaling)
        ctx.save_for_backward(x, inner, down, up)
        ctx.scaling = scaling
        return functional.linear(inner, up)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        x, inner, down, up = ctx.saved_tensors
        back = (gradient @ up).mul_(ctx.scaling)
        grad_x = back @ down if ctx.needs_input_grad[0] else None
        grad_a = grad_b = None
        if ctx.needs_input_grad[1]:
            grad_a = (_flat(back).T @ _flat(x)).float()
            grad_b = (_flat(gradient).T @ _flat(inner)).float()
        return grad_x, grad_a, grad_b, None


def _flat(rows: Tensor) -> Tensor:
    return rows.reshape(-1, rows.shape[-1])

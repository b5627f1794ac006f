"""The decoder layers of Llama with fewer passes over memory: same numbers, for training on a CPU.

Transformers writes normalisation, rotation and gating as chains of small operations. On a CPU each link reads
and writes the whole tensor, forwards and backwards, and together they cost as much as the matrix products.
Here each chain is one function with a hand-written gradient. Norms whose weights learn are left as they are.

Import this module late: torch is needed to define it.
"""

from types import MethodType
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers.models.llama.modeling_llama import LlamaAttention, LlamaMLP, LlamaRMSNorm

from tasks.methods.layers.shared_prefix import SharedPrefix, attended


def fuse_llama(model: nn.Module) -> int:
    """Let the Llama layers of `model` compute in this way; returns how many modules do (0: another family).

    For causal attention over right-padded rows without a mask and without a cache: the way of training.
    The layers then also take a `shared_prefix`: a batch laid out as one sequence; and `virtual_tokens`: keys
    and values that stand before those of every row, [layers, 2, heads, columns, head width].
    """
    count = 0
    for module in model.modules():
        if isinstance(module, LlamaRMSNorm):
            if module.weight.requires_grad:
                continue  # the gradient written here is that of the input alone
            module.forward = MethodType(_norm, module)
        elif isinstance(module, LlamaMLP) and module.config.hidden_act == "silu":
            module.forward = MethodType(_gated, module)
        elif isinstance(module, LlamaAttention):
            module.forward = MethodType(_attend, module)
        else:
            continue
        count += 1
    return count


def _norm(self: Any, hidden_states: Tensor) -> Tensor:
    return _apply(_Norm, hidden_states, self.weight, self.variance_epsilon)


def _gated(self: Any, x: Tensor) -> Tensor:
    return self.down_proj(_apply(_Gate, self.gate_proj(x), self.up_proj(x)))


def _attend(
    self: Any,
    hidden_states: Tensor,
    position_embeddings: tuple[Tensor, Tensor],
    shared_prefix: SharedPrefix | None = None,
    virtual_tokens: Tensor | None = None,
    **_: Any,
) -> tuple[Tensor, None]:
    shape = (*hidden_states.shape[:2], -1, self.head_dim)
    cosine, sine = (angle.unsqueeze(2) for angle in position_embeddings)  # broadcast over heads
    query = _apply(_Rotate, self.q_proj(hidden_states).view(shape), cosine, sine)
    key = _apply(_Rotate, self.k_proj(hidden_states).view(shape), cosine, sine)
    value = self.v_proj(hidden_states).view(shape)
    groups = self.num_key_value_groups
    if shared_prefix is not None and virtual_tokens is None:
        heads = (query[0], *(part[0].repeat_interleave(groups, dim=1) for part in (key, value)))
        merged = shared_prefix.attend(*heads, scale=self.scaling).flatten(1).unsqueeze(0)
        return self.o_proj(merged), None
    if shared_prefix is not None:
        query, key, value = (shared_prefix.rows(part[0]) for part in (query, key, value))
    seen = None
    if virtual_tokens is not None:
        before = (
            virtual_tokens[self.layer_idx].transpose(1, 2).unsqueeze(1).expand(-1, len(query), -1, -1, -1)
        )
        key, value = torch.cat([before[0], key], dim=1), torch.cat([before[1], value], dim=1)
        rows, columns = query.shape[1], key.shape[1]
        seen = torch.ones(rows, columns, dtype=torch.bool, device=key.device).tril(columns - rows)
    key, value = (part.repeat_interleave(groups, dim=2) for part in (key, value))
    merged = attended(query, key, value, scale=self.scaling, seen=seen).flatten(2)
    if shared_prefix is not None:
        merged = shared_prefix.sequence(merged).unsqueeze(0)
    return self.o_proj(merged), None


def _apply(function: type[torch.autograd.Function], *arguments: Any) -> Tensor:
    return function.apply(*arguments)  # type: ignore[no-untyped-call]


class _Norm(torch.autograd.Function):
    """y = w x / sqrt(mean(x^2) + eps), computed in float32 (Zhang and Sennrich 2019, arXiv:1910.07467)."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, epsilon: float) -> Tensor:
        wide = x.float()
        size = torch.linalg.vector_norm(wide, dim=-1, keepdim=True)
        scale = size.square_().div_(x.shape[-1]).add_(epsilon).rsqrt_()
        ctx.save_for_backward(x, weight, scale)
        return (wide * scale).mul_(weight).to(x.dtype)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        x, weight, scale = ctx.saved_tensors
        wide = x.float()
        grad = gradient.float() * weight
        inner = (grad * wide).sum(-1, keepdim=True).mul_(scale.pow(3)).div_(-x.shape[-1])
        return grad.mul_(scale).addcmul_(wide, inner).to(x.dtype), None, None


class _Gate(torch.autograd.Function):
    """y = silu(gate) up, keeping only its two inputs for the way back."""

    @staticmethod
    def forward(ctx: Any, gate: Tensor, up: Tensor) -> Tensor:
        ctx.save_for_backward(gate, up)
        return functional.silu(gate).mul_(up)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor]:
        gate, up = ctx.saved_tensors
        grad_gate = torch.ops.aten.silu_backward(gradient * up, gate)
        return grad_gate, functional.silu(gate).mul_(gradient)


class _Rotate(torch.autograd.Function):
    """Rotary positions over (row, position, head, feature) (Su et al. 2021, arXiv:2104.09864)."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, cosine: Tensor, sine: Tensor) -> Tensor:
        ctx.save_for_backward(cosine, sine)
        return _rotated(x, cosine, sine, 1.0)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        cosine, sine = ctx.saved_tensors
        return _rotated(gradient, cosine, sine, -1.0), None, None


def _rotated(x: Tensor, cosine: Tensor, sine: Tensor, direction: float) -> Tensor:
    half = x.shape[-1] // 2
    out = x * cosine
    out[..., :half].addcmul_(x[..., half:], sine[..., :half], value=-direction)
    out[..., half:].addcmul_(x[..., :half], sine[..., half:], value=direction)
    return out

"""The optimiser of LoRA-Pro (Wang et al. 2024, arXiv:2407.18242). Import this module late: torch is needed.

With W' = W + s B A the step of the weight is, to first order, s (dB A + B dA). Theorem 2.1 gives the dA and
dB that bring it nearest to the gradient g of full tuning, from what LoRA computes anyway, gA = s B'g and gB
= s g A':

    dA = (1/s^2) (B'B)^-1 gA                         + X A
    dB = (1/s^2) (1 - B (B'B)^-1 B') gB (A A')^-1    - B X

for any X. Theorem 2.3 takes the X that keeps dA and dB nearest to gA and gB: the solution of the Sylvester
equation B'B X + X A A' = -(1/s^2) (B'B)^-1 gA A'. Algorithm 2 puts AdamW on the joint step of the weight,
so its two moments are as large as the weight, and then asks for dA and dB once more.
"""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

Pair = tuple[nn.Parameter, nn.Parameter]  # A [rank, inputs] and B [outputs, rank]
RIDGE = 1e-8  # relative; near its start B is so small that its Gram matrix has no inverse in practice


class LoraPro(Optimizer):
    """AdamW for the weights that pairs of thin matrices make."""

    def __init__(
        self,
        pairs: Sequence[Pair],
        *,
        scale: float,
        lr: float,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
    ) -> None:
        groups = [{"params": [a, b]} for a, b in pairs]
        super().__init__(groups, {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay})
        self._scale = scale

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """One step of every pair."""
        loss = closure() if closure is not None else None
        for group in self.param_groups:
            a, b = group["params"]
            if a.grad is None or b.grad is None:
                continue
            direction = self._adam(group, a, b)
            scale = self._scale
            step_a, step_b = corrected(a, b, scale * b.T @ direction, scale * direction @ a.T, scale=scale)
            for part, change in ((a, step_a), (b, step_b)):
                part.mul_(1.0 - group["lr"] * group["weight_decay"]).sub_(change, alpha=group["lr"])
        return loss

    def _adam(self, group: dict[str, Any], a: Tensor, b: Tensor) -> Tensor:
        """The direction in which AdamW would step the whole weight, [outputs, inputs]."""
        step_a, step_b = corrected(a, b, a.grad, b.grad, scale=self._scale)
        whole = self._scale * (b @ step_a + step_b @ a)
        state = self.state[a]
        if not state:
            state["step"] = 0
            state["mean"], state["square"] = torch.zeros_like(whole), torch.zeros_like(whole)
        state["step"] += 1
        slow, slower = group["betas"]
        mean = state["mean"].lerp_(whole, 1.0 - slow) / (1.0 - slow ** state["step"])
        square = state["square"].mul_(slower).addcmul_(whole, whole, value=1.0 - slower)
        return mean / ((square / (1.0 - slower ** state["step"])).sqrt_().add_(group["eps"]))


def corrected(
    a: Tensor, b: Tensor, grad_a: Tensor | None, grad_b: Tensor | None, *, scale: float
) -> tuple[Tensor, Tensor]:
    """The steps of A and B whose joint step of the weight is nearest to the full gradient.

    While B is zero it alone can move the weight: A stays where it is then.
    """
    assert grad_a is not None
    assert grad_b is not None
    wide = [part.double() for part in (a, b, grad_a, grad_b)]
    a_, b_, ga, gb = wide
    gram_a, square = _ridged(a_ @ a_.T), scale**2
    if not bool(b_.any()):
        return torch.zeros_like(a), _solved_right(gb, gram_a).div(square).to(b.dtype)
    gram_b = _ridged(b_.T @ b_)
    from_b = torch.linalg.solve(gram_b, ga) / square
    free = gb - b_ @ torch.linalg.solve(gram_b, b_.T @ gb)
    x = sylvester(gram_b, gram_a, -from_b @ a_.T)
    step_a = from_b + x @ a_
    step_b = _solved_right(free, gram_a) / square - b_ @ x
    return step_a.to(a.dtype), step_b.to(b.dtype)


def sylvester(left: Tensor, right: Tensor, wanted: Tensor) -> Tensor:
    """The X with `left` X + X `right` = `wanted`, for symmetric positive `left` and `right`."""
    values_left, vectors_left = torch.linalg.eigh(left)
    values_right, vectors_right = torch.linalg.eigh(right)
    inner = vectors_left.T @ wanted @ vectors_right
    return vectors_left @ (inner / (values_left[:, None] + values_right[None, :])) @ vectors_right.T


def pairs(model: nn.Module) -> list[Pair]:
    """The pairs A, B of every LoRA layer of `model` that learns."""
    found = dict(model.named_parameters())
    downs = [name for name, part in found.items() if "lora_A" in name and part.requires_grad]
    return [(found[name], found[name.replace("lora_A", "lora_B")]) for name in downs]


def _solved_right(wanted: Tensor, gram: Tensor) -> Tensor:
    """`wanted` x `gram`^-1."""
    return torch.linalg.solve(gram, wanted.T).T


def _ridged(gram: Tensor) -> Tensor:
    size = gram.diagonal().mean()
    return gram + RIDGE * size * torch.eye(len(gram), dtype=gram.dtype, device=gram.device)

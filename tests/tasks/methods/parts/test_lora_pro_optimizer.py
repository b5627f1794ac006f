"""Protects LoRA-Pro: its joint step is the nearest to the full gradient, and the gentlest of such steps."""

import pytest
import torch
from torch import Tensor

from tasks.methods.parts.lora_pro_optimizer import LoraPro, corrected, sylvester

SCALE = 2.0


@pytest.fixture
def case() -> tuple[Tensor, Tensor, Tensor]:
    """A [3, 7], B [5, 3] and the full gradient [5, 7]."""
    generator = torch.Generator().manual_seed(3)
    shapes = ((3, 7), (5, 3), (5, 7))
    a, b, g = (torch.randn(shape, generator=generator, dtype=torch.float64) for shape in shapes)
    return a, b, g


def steps(a: Tensor, b: Tensor, g: Tensor) -> tuple[Tensor, Tensor]:
    return corrected(a, b, SCALE * b.T @ g, SCALE * g @ a.T, scale=SCALE)


def joint(a: Tensor, b: Tensor, step_a: Tensor, step_b: Tensor) -> Tensor:
    return SCALE * (b @ step_a + step_b @ a)


def test_the_joint_step_is_the_projection_of_the_full_gradient(case: tuple[Tensor, Tensor, Tensor]) -> None:
    a, b, g = case
    onto_b = b @ torch.linalg.pinv(b)
    onto_a = torch.linalg.pinv(a) @ a
    nearest = g - (torch.eye(5) - onto_b) @ g @ (torch.eye(7) - onto_a)
    torch.testing.assert_close(joint(a, b, *steps(a, b, g)), nearest, atol=1e-6, rtol=1e-6)


def test_among_such_steps_it_is_the_nearest_to_the_gradients_of_lora(
    case: tuple[Tensor, Tensor, Tensor],
) -> None:
    a, b, g = case
    step_a, step_b = steps(a, b, g)
    grad_a, grad_b = SCALE * b.T @ g, SCALE * g @ a.T

    def distance(x: Tensor) -> Tensor:
        return (step_a + x @ a - grad_a).square().sum() + (step_b - b @ x - grad_b).square().sum()

    x = torch.zeros(3, 3, dtype=torch.float64, requires_grad=True)
    [slope] = torch.autograd.grad(distance(x), x)
    # The objective of theorem 2.3 has no slope at the X that was chosen; it is convex: this is its minimum.
    torch.testing.assert_close(slope, torch.zeros_like(slope), atol=1e-5, rtol=0)


def test_the_sylvester_equation_is_solved(case: tuple[Tensor, Tensor, Tensor]) -> None:
    a, b, _ = case
    left, right, wanted = b.T @ b, a @ a.T, a[:, :3]
    x = sylvester(left, right, wanted)
    torch.testing.assert_close(left @ x + x @ right, wanted)


def test_its_first_step_moves_the_weight_as_full_tuning_would_as_far_as_rank_allows(
    case: tuple[Tensor, Tensor, Tensor],
) -> None:
    start_a, start_b, target = case
    a, b = torch.nn.Parameter(start_a.clone()), torch.nn.Parameter(start_b.clone())
    optimizer = LoraPro([(a, b)], scale=SCALE, lr=1e-3)

    def loss() -> Tensor:
        return (SCALE * b @ a - target).square().sum()

    before = loss()
    for _ in range(20):
        optimizer.zero_grad()
        loss().backward()
        optimizer.step()
    assert loss() < before

"""The bare steps of a method over one batch, for benchmarks that look between them.

Import this module late: torch is needed.
"""

from collections.abc import Iterator

import torch
from torch import Tensor

from tasks.methods.method import Adapted
from tasks.training.tuning.trainer import answer_loss


def steps(
    adapted: Adapted, batch: Tensor, labels: Tensor, *, lengths: Tensor | None, rate: float, count: int
) -> Iterator[float]:
    """Learn `batch` in so many steps; the loss of each, while its gradients are there and nothing has moved.

    `lengths` are those of the rows, where fused layers take them as one sequence.
    """
    learning = list(adapted.trained().values())
    optimizer = adapted.optimizer(rate, 0.0) if adapted.optimizer else torch.optim.AdamW(learning, lr=rate)
    for _ in range(count):
        loss = answer_loss(adapted.model, batch, labels, lengths=lengths, hidden=adapted.hidden)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        yield loss.item()
        optimizer.step()

"""Trains a cross-encoder on mined questions: what answers has to stand out among what else was found.

The loss is the cross-entropy over the passages of a question (ListNet, Cao et al. 2007), with the fusion's
scores among the logits: what is learned is where the fusion is wrong.

Import this module late: torch is needed for it.
"""

import random
from collections.abc import Callable, Sequence
from statistics import fmean
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from deploy.knowledge.cross_encoder import CrossEncoder, PairTokenizer
from deploy.knowledge.reranker import Reranker
from tasks.machine.device import Device
from tasks.training.ranking.judging import ranks
from tasks.training.ranking.learning import best_state, numbers
from tasks.training.ranking.mining import Mined
from tasks.training.schedule import schedule
from tasks.training.settings import RerankSettings

# Times the learning rate of the layers: the head begins at nothing, the prior's weight is one number.
_HEAD, _PRIOR = 10.0, 100.0


def learn(
    model: CrossEncoder,
    tokenizer: PairTokenizer,
    mined: Sequence[Mined],
    *,
    judge: Callable[[], float],
    device: Device,
    settings: RerankSettings,
    seed: int,
) -> list[dict[str, Any]]:
    """Train `model`, which is left in the state that `judge` has found best; the passes over the time.

    Raises:
        TrainingError: the loss is no number.
    """
    drawn = random.Random(seed)

    def loss(places: Sequence[int]) -> Tensor:
        rows = [_drawn(mined[at], settings.negatives, drawn) for at in places]
        return _loss(model, tokenizer, rows, device)

    order = schedule([1] * len(mined), batch_size=settings.batch_size, epochs=settings.epochs, seed=seed)
    optimizer = _optimizer(model, settings)
    return best_state(model, optimizer, order, loss=loss, judge=judge, settings=settings, stage="rerank")


def mean_reciprocal_rank(mined: Sequence[Mined], reranker: Reranker, device: Device) -> float:
    """The MRR of questions in the order of a model that is being trained."""
    with numbers(device):
        return fmean(ranks(mined, reranker).reciprocal())


def _drawn(mined: Mined, negatives: int, drawn: random.Random) -> tuple[Mined, list[int]]:
    """A question with the places of what answers it, and of as many others as are to be learned from."""
    right = [at for at, true in enumerate(mined.right) if true]
    wrong = [at for at, true in enumerate(mined.right) if not true]
    return mined, [*right, *sorted(drawn.sample(wrong, min(negatives, len(wrong))))]


def _loss(
    model: CrossEncoder,
    tokenizer: PairTokenizer,
    rows: Sequence[tuple[Mined, Sequence[int]]],
    device: Device,
) -> Tensor:
    """The mean cross-entropy; where several passages answer, each is to have its share."""
    hits = [(mined, mined.hits[at]) for mined, places in rows for at in places]
    pairs = tokenizer([mined.question for mined, _ in hits], [hit.text for _, hit in hits])
    priors = torch.tensor([hit.score for _, hit in hits], device=device.name)
    with numbers(device):
        logits = model({name: each.to(device.name) for name, each in pairs.items()}, priors)
    losses: list[Tensor] = []
    for (mined, places), own in zip(rows, logits.split([len(places) for _, places in rows]), strict=True):
        right = torch.tensor([mined.right[at] for at in places], dtype=torch.float32, device=device.name)
        losses.append(functional.cross_entropy(own, right / right.sum()))
    return torch.stack(losses).mean()


def _optimizer(model: CrossEncoder, settings: RerankSettings) -> torch.optim.AdamW:
    layers = [each for each in model.bert.parameters() if each.requires_grad]
    rates = {_HEAD: [model.head], _PRIOR: [model.prior]}
    groups: list[dict[str, Any]] = [{"params": layers, "lr": settings.learning_rate}]
    groups += [{"params": part, "lr": times * settings.learning_rate} for times, part in rates.items()]
    return torch.optim.AdamW(groups, weight_decay=0.0)

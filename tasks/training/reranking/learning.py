"""Trains a cross-encoder on mined questions: what answers has to stand out among what else was found.

The loss is the cross-entropy over the passages of a question (ListNet, Cao et al. 2007), with the fusion's
scores among the logits: what is learned is where the fusion is wrong.

Import this module late: torch is needed for it.
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from math import ceil, isfinite
from statistics import fmean
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional
from transformers import get_linear_schedule_with_warmup

from deploy.knowledge.cross_encoder import CrossEncoder, PairTokenizer
from deploy.knowledge.reranker import Reranker
from tasks.errors import TrainingError
from tasks.machine.device import Device
from tasks.machine.progress import Progress
from tasks.training.reranking.judging import ranks
from tasks.training.reranking.mining import Mined
from tasks.training.schedule import milestones, schedule
from tasks.training.settings import RerankSettings

# Times the learning rate of the layers: the head begins at nothing, the prior's weight is one number.
_HEAD, _PRIOR = 10.0, 100.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Pass:
    """One look at the questions that choose the state: their mean reciprocal rank after `step` steps."""

    step: int
    loss: float | None
    mrr: float


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

    `judge` says how well the model ranks now, higher is better. Training stops early where that has not
    risen for `patience` passes.

    Raises:
        TrainingError: the loss is no number.
    """
    order = schedule([1] * len(mined), batch_size=settings.batch_size, epochs=settings.epochs, seed=seed)
    looked_at, drawn = milestones(order.steps, settings.validation_passes), random.Random(seed)
    optimizer = _optimizer(model, settings)
    rates = get_linear_schedule_with_warmup(optimizer, ceil(settings.warmup * order.steps), order.steps)
    passes = [Pass(step=0, loss=None, mrr=judge())]
    best, kept, losses = passes[0], _learned(model), list[float]()
    progress = Progress(order.steps, "steps")
    for step in range(1, order.steps + 1):
        model.train()  # a judge has asked it
        rows = [mined[at] for at in order.at(step - 1)]
        loss = _loss(model, tokenizer, [_drawn(row, settings.negatives, drawn) for row in rows], device)
        losses.append(loss.item())
        if not isfinite(losses[-1]):
            raise TrainingError(
                f"the loss of rerank is {losses[-1]} at step {step}; lower rerank.learning_rate "
                f"({settings.learning_rate:g})"
            )
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        rates.step()
        progress.update(step, loss=losses[-1])
        if step in looked_at:
            passes.append(Pass(step=step, loss=round(sum(losses) / len(losses), 4), mrr=judge()))
            losses.clear()
            if passes[-1].mrr > best.mrr:
                best, kept = passes[-1], _learned(model)
            elif len(passes) - 1 - passes.index(best) >= settings.patience:
                break
    model.load_state_dict(kept, strict=False)
    return [{**asdict(each), "mrr": round(each.mrr, 4), "kept": each is best} for each in passes]


def mean_reciprocal_rank(mined: Sequence[Mined], reranker: Reranker, device: Device) -> float:
    """The MRR of questions in the order of a model that is being trained."""
    with _numbers(device):
        return fmean(ranks(mined, reranker).reciprocal())


def _numbers(device: Device) -> torch.autocast:
    """Products in bfloat16 where the device multiplies it."""
    return torch.autocast(device.name, torch.bfloat16, enabled=device.precision == "bfloat16")


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
    with _numbers(device):
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


def _learned(model: CrossEncoder) -> dict[str, Tensor]:
    return {name: each.detach().clone() for name, each in model.named_parameters() if each.requires_grad}

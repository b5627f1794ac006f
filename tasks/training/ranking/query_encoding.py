"""Trains how questions are read: near to the passages that answer them, far from all others (InfoNCE).

The passages keep their vectors, so the softmax is over all that lie near to any question that is learned
from, and not over those of a batch alone (query-side fine-tuning: Lee et al. 2021, arXiv:2012.12624).

Import this module late: torch is needed for it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from sentence_transformers import SentenceTransformer
from torch import Tensor
from torch.nn import functional

from deploy.knowledge.arrays import Vectors
from deploy.knowledge.embedder import embedder_identity
from deploy.knowledge.query_encoder import learn_all_but_words
from deploy.knowledge.store import EARLIER
from tasks.machine.device import Device
from tasks.training.ranking.learning import best_state, numbers
from tasks.training.schedule import schedule
from tasks.training.settings import QueryEncoderSettings

_AT_ONCE = 64  # questions


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A question, what it still asks of the turns before it, and the places of what answers it.

    `right` has a tuple of places for each document that it rests on: one of them is to be found. Those at
    `hidden` are not searched for it.
    """

    query: str
    before: str
    right: tuple[tuple[int, ...], ...]
    hidden: tuple[int, ...] = ()


class QueryTower:
    """The embedder as it reads questions, while it is trained; for a store it is its embedder."""

    def __init__(self, embedder: Path, device: Device) -> None:
        self.identity, self.device = embedder_identity(embedder), device
        self._sentences: Any = SentenceTransformer(
            str(embedder),
            device=device.name,
            local_files_only=True,
            trust_remote_code=False,
            model_kwargs={"dtype": torch.float32, "use_safetensors": True},
        )
        self.model: Any = self._sentences[0].model
        learn_all_but_words(self.model)
        self._prompt: str = self._sentences.prompts.get("query") or ""

    @property
    def dimensions(self) -> int:
        """The length of each vector."""
        return int(self._sentences.get_embedding_dimension())

    def vectors(self, queries: Sequence[str]) -> Tensor:
        """One row of unit length for each question, which teaches."""
        features: dict[str, Any] = self._sentences.preprocess([self._prompt + query for query in queries])
        put = {
            name: each.to(self.device.name) if isinstance(each, Tensor) else each
            for name, each in features.items()
        }
        with numbers(self.device):
            found = self._sentences(put)
        return functional.normalize(found["sentence_embedding"].float(), dim=-1)

    def embed_queries(self, queries: Sequence[str]) -> Vectors:
        """One row of unit length for each question, by the present state."""
        self.model.eval()
        with torch.inference_mode():
            parts = [
                self.vectors(queries[at : at + _AT_ONCE]).cpu().numpy()
                for at in range(0, len(queries), _AT_ONCE)
            ]
        return np.concatenate([np.zeros((0, self.dimensions), dtype=np.float32), *parts])

    def embed_texts(self, texts: Sequence[str], *, progress: Callable[[int], object]) -> Vectors:  # noqa: ARG002
        """Nothing: passages keep the vectors that they have."""
        raise AssertionError(f"a query encoder embeds no passages, and {len(texts)} were given to it")


def learn(
    tower: QueryTower,
    asked: Sequence[Asked],
    passages: Vectors,
    *,
    judge: Callable[[], float],
    settings: QueryEncoderSettings,
    seed: int,
) -> list[dict[str, Any]]:
    """Train `tower`, which is left in the state that `judge` has found best; the passes over the time.

    `passages` are the vectors at whose places `asked` points.

    Raises:
        TrainingError: the loss is no number.
    """
    torch.manual_seed(seed)  # of the dropout
    pool = near(tower, asked, passages, settings.nearest)
    places = {int(place): at for at, place in enumerate(pool)}
    others = torch.from_numpy(passages[pool]).to(tower.device.name).T.contiguous()

    def loss(rows: Sequence[int]) -> Tensor:
        batch = [asked[row] for row in rows]
        logits = (_mixed(tower, batch) @ others) / settings.temperature
        return torch.stack(
            [_cross_entropy(own, each, places) for own, each in zip(logits, batch, strict=True)]
        ).mean()

    order = schedule([1] * len(asked), batch_size=settings.batch_size, epochs=settings.epochs, seed=seed)
    optimizer = torch.optim.AdamW(
        [each for each in tower.model.parameters() if each.requires_grad],
        lr=settings.learning_rate,
        weight_decay=0.0,
    )
    return best_state(
        tower.model, optimizer, order, loss=loss, judge=judge, settings=settings, stage="query_encoder"
    )


def near(
    tower: QueryTower, asked: Sequence[Asked], passages: Vectors, nearest: int
) -> "np.ndarray[Any, Any]":
    """The places of passages to learn from, in order: what answers, and the nearest to each question."""
    count = min(nearest, len(passages))
    questions = tower.embed_queries([each.query for each in asked])
    chosen = np.zeros(len(passages), dtype=bool)
    for vector in questions:
        chosen[np.argpartition(-(passages @ vector), count - 1)[:count]] = True
    for each in asked:
        for document in each.right:
            chosen[list(document)] = True
    return np.flatnonzero(chosen)


def _mixed(tower: QueryTower, asked: Sequence[Asked]) -> Tensor:
    """The vectors of questions as a store makes them, what was said before with its weight."""
    vectors = tower.vectors([each.query for each in asked])
    at = [place for place, each in enumerate(asked) if each.before]
    if not at:
        return vectors
    earlier = tower.vectors([asked[place].before for place in at])
    mixed = vectors.index_add(0, torch.tensor(at, device=vectors.device), float(EARLIER) * earlier)
    return functional.normalize(mixed, dim=-1)


def _cross_entropy(logits: Tensor, asked: Asked, places: dict[int, int]) -> Tensor:
    """The mean over the documents that a question rests on: one of the passages of each is to be found."""
    hidden = [places[place] for place in asked.hidden if place in places]
    if hidden:
        logits = logits.index_fill(0, torch.tensor(hidden, device=logits.device), -torch.inf)
    shares = logits.log_softmax(0)
    found = [shares[[places[place] for place in document]].logsumexp(0) for document in asked.right]
    return -torch.stack(found).mean()

"""The reranker: what the search finds first is put in order anew by a model that reads question and passage.

It lies in the folder `reranker` of an embedder, from which it was trained (stage `rerank`):

weights.safetensors   the layers that were trained
reranker.json         what they belong to, and how many passages they put in order
"""

import json
import threading
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from deploy.atomic import write_json
from deploy.errors import KnowledgeError
from deploy.files import read_json, sha256_of, text_sha256
from deploy.knowledge.embedder import embedder_identity
from deploy.knowledge.hits import Hit
from deploy.knowledge.trained import WEIGHTS, learned, put_weights, read_weights

if TYPE_CHECKING:
    from deploy.knowledge.cross_encoder import CrossEncoder, PairTokenizer

FOLDER, NOTE = "reranker", "reranker.json"
_ADVICE = "run the stage `rerank` again, or delete that folder: the order of the fusion stands then"


@dataclass(frozen=True, slots=True, kw_only=True)
class RerankerNote:
    """What the weights belong to: sha256 of the embedder, of the tokenizer's vocabulary and of themselves.

    The first `candidates` of a search are put in order; of a question with a passage `max_tokens` are read.
    """

    embedder: str
    vocabulary: str
    weights: str
    candidates: int
    max_tokens: int


class Reranker:
    """Puts what a search has found in another order; any thread may ask."""

    def __init__(
        self, model: "CrossEncoder", tokenizer: "PairTokenizer", *, candidates: int, device: str = "cpu"
    ) -> None:
        self.candidates = candidates
        self._model, self._tokenizer, self._device = model.to(device), tokenizer, device
        # A fast tokenizer keeps its truncation as state and refuses to be asked from two threads at once.
        self._one_at_a_time = threading.Lock()

    def rerank(self, query: str, before: str, hits: Sequence[Hit]) -> list[Hit]:
        """The first `candidates` of `hits`, best first, and the others behind them as they were.

        `before` is what of the turns before `query` is still asked. The score of a hit becomes its share of
        what speaks for the candidates; that of another is below all of them.
        """
        first, others = hits[: self.candidates], hits[self.candidates :]
        if len(first) < 2:
            return list(hits)
        shares = self._shares(asked(query, before), first)
        order = sorted(range(len(first)), key=lambda at: (-shares[at], at))
        least = min(shares)
        return [
            *(replace(first[at], score=shares[at]) for at in order),
            *(replace(hit, score=least * hit.score) for hit in others),
        ]

    def _shares(self, question: str, hits: Sequence[Hit]) -> list[float]:
        import torch

        with self._one_at_a_time:
            pairs = self._tokenizer([question] * len(hits), [hit.text for hit in hits])
        with torch.inference_mode():
            self._model.eval()  # a training may have gone on meanwhile
            priors = torch.tensor([hit.score for hit in hits], device=self._device)
            logits = self._model({name: each.to(self._device) for name, each in pairs.items()}, priors)
            shares: list[float] = logits.softmax(0).tolist()
        return shares


def asked(query: str, before: str) -> str:
    """The question as a reranker reads it, with what it still asks of the turns before."""
    return f"{before}\n{query}" if before else query


def has_reranker(embedder: Path) -> bool:
    """Whether one lies in the folder of an embedder."""
    return (embedder / FOLDER).exists()


def open_reranker(
    embedder: Path, *, dtype: Literal["float32", "bfloat16"] = "float32", device: str = "cpu"
) -> Reranker | None:
    """The reranker in the folder of an embedder; None where none was trained.

    Raises:
        KnowledgeError: it is damaged, or belongs to another embedder or tokenizer.
    """
    if not has_reranker(embedder):
        return None
    folder = embedder / FOLDER
    note = read_json(folder / NOTE, RerankerNote, error=KnowledgeError, advice=_ADVICE)
    if note.embedder != (given := embedder_identity(embedder)):
        raise KnowledgeError(
            f"{folder} was trained from the embedder {note.embedder[:12]}, but {embedder} is {given[:12]}; "
            f"{_ADVICE}"
        )
    import torch

    from deploy.knowledge.cross_encoder import PairTokenizer, untrained
    from deploy.knowledge.fused_bert import fuse_bert

    tokenizer = PairTokenizer(embedder, max_tokens=note.max_tokens)
    if note.vocabulary != _vocabulary(tokenizer):
        raise KnowledgeError(
            f"{folder} was trained with another tokenizer than that of {embedder}; {_ADVICE}"
        )
    model = untrained(embedder)
    weights = read_weights(folder, checksum=note.weights, advice=_ADVICE)
    put_weights(model, weights, folder, needed=("head", "prior"), advice=_ADVICE)
    # Where it is to run, first: what is fused is no parameter, and does not follow.
    model.bert = fuse_bert(model.bert.to(device, getattr(torch, dtype)))
    return Reranker(model, tokenizer, candidates=note.candidates, device=device)


def write_reranker(
    embedder: Path, model: "CrossEncoder", tokenizer: "PairTokenizer", *, candidates: int
) -> None:
    """Write what of `model` has learned into the folder `embedder`, from which it was trained."""
    from safetensors.torch import save_file

    folder = embedder / FOLDER
    folder.mkdir()
    save_file(learned(model), folder / WEIGHTS)
    note = RerankerNote(
        embedder=embedder_identity(embedder),
        vocabulary=_vocabulary(tokenizer),
        weights=sha256_of(folder / WEIGHTS),
        candidates=candidates,
        max_tokens=tokenizer.max_tokens,
    )
    write_json(folder / NOTE, asdict(note))


def _vocabulary(tokenizer: "PairTokenizer") -> str:
    return text_sha256(json.dumps(sorted(tokenizer.raw.get_vocab().items())))

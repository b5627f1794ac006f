"""The query encoder: how questions are read, where the embedder was trained further for them alone.

Passages keep the vectors that the embedder has given them, so a store is searched with it as it is, and
what is added later costs no more (query-side fine-tuning: Lee et al. 2021, arXiv:2012.12624). It lies in the
folder `query_encoder` of an embedder, from which it was trained (stage `query_encoder`):

weights.safetensors   the weights that were trained
query_encoder.json    which embedder they belong to
"""

import copy
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deploy.atomic import write_json
from deploy.errors import KnowledgeError
from deploy.files import read_json, sha256_of
from deploy.knowledge.trained import WEIGHTS, put_weights, read_weights

if TYPE_CHECKING:
    from torch import Tensor, nn

FOLDER, NOTE = "query_encoder", "query_encoder.json"
_ADVICE = (
    "run the stage `query_encoder` again, or delete that folder: the embedder itself reads questions then"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryEncoderNote:
    """What the weights belong to: sha256 of the embedder and of themselves."""

    embedder: str
    weights: str


def has_query_encoder(embedder: Path) -> bool:
    """Whether one lies in the folder of an embedder."""
    return (embedder / FOLDER).exists()


def learn_all_but_words(model: "nn.Module") -> None:
    """Let the layers of an encoder learn, and neither its embeddings of words nor what its vectors ignore.

    Few words of a vocabulary stand in so many questions, and the embeddings are half of the weights.
    """
    model.requires_grad_(True)
    words: Any = model.get_input_embeddings()  # type: ignore[operator]
    words.requires_grad_(False)
    if (pooler := getattr(model, "pooler", None)) is not None:
        pooler.requires_grad_(False)


def query_model(embedder: Path, identity: str, model: "nn.Module") -> "nn.Module":
    """The model that reads questions: that of the embedder in the folder, or a copy with what was trained.

    The embeddings of words are those of `model`: they take no memory again.

    Raises:
        KnowledgeError: what lies there is damaged, or belongs to another embedder than that of `identity`.
    """
    if not has_query_encoder(embedder):
        return model
    folder = embedder / FOLDER
    note = read_json(folder / NOTE, QueryEncoderNote, error=KnowledgeError, advice=_ADVICE)
    if note.embedder != identity:
        raise KnowledgeError(
            f"{folder} was trained from the embedder {note.embedder[:12]}, but {embedder} is "
            f"{identity[:12]}; {_ADVICE}"
        )
    shared: Any = model.get_input_embeddings()  # type: ignore[operator]
    own = copy.deepcopy(model, {id(shared.weight): shared.weight})
    put_weights(own, read_weights(folder, checksum=note.weights, advice=_ADVICE), folder, advice=_ADVICE)
    return own


def write_query_encoder(folder: Path, identity: str, weights: "Mapping[str, Tensor]") -> None:
    """Fill `folder` with the weights that were trained from the embedder of `identity`."""
    from safetensors.torch import save_file

    folder.mkdir(parents=True, exist_ok=True)
    save_file(dict(weights), folder / WEIGHTS)
    write_json(
        folder / NOTE,
        asdict(QueryEncoderNote(embedder=identity, weights=sha256_of(folder / WEIGHTS))),
    )

"""Raw documents as rows to go on pre-training with (Gururangan et al. 2020, arXiv:2004.10964): packed text.

Documents follow each other in a drawn order, each ended by the tokenizer's end of text, and are cut into rows
of `sft.max_length` tokens, all of which count in the loss. A row may hold parts of several documents, as in
pre-training itself.
"""

import random
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tasks.errors import TrainingError
from tasks.rows.grounding import Grounded
from tasks.rows.records import Document, Example
from tasks.rows.reports import RowCount, row_counts
from tasks.rows.tables import read_table
from tasks.training.settings import SftSettings
from tasks.training.tuning.tokens import Tokenised, TokenRow

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

DOCUMENTS = "documents"
TASK = "document"


def documents_in(splits: Path, settings: SftSettings) -> list[Document]:
    """The documents of the chain, if it is them that `sft` trains on."""
    if settings.rows != DOCUMENTS:
        return []
    return read_table(splits / "documents.parquet", Document)


def packed_documents(
    documents: Sequence[Document],
    tokenizer: "PreTrainedTokenizerBase",
    *,
    settings: SftSettings,
    seed: int,
) -> tuple[Tokenised, Tokenised, list[RowCount]]:
    """The rows to train on, those to validate by, of other documents, and what became of all documents.

    Raises:
        TrainingError: there are no documents besides those of validation.
    """
    drawn = sorted(documents, key=lambda document: document.id)
    random.Random(seed).shuffle(drawn)
    length = settings.max_length
    held = _taken(drawn, tokenizer, settings.validation_rows * length)
    chosen = _taken(drawn[len(held) :], tokenizer, settings.max_rows * length)
    if not chosen:
        raise TrainingError(
            f"of {len(documents)} documents {len(held)} validate, and none is left to train on; add some "
            "to collect.sources, lower sft.validation_rows, or set sft.rows: examples"
        )
    unused = len(drawn) - len(held) - len(chosen)
    counts = row_counts(
        TASK,
        len(documents),
        trained=len(chosen),
        unused={"over sft.max_rows": unused, "for validation": len(held)},
    )
    return (
        _packed(chosen, length, settings.max_rows, name="text"),
        _packed(held, length, settings.validation_rows, name="held"),
        counts,
    )


def _taken(
    documents: Sequence[Document], tokenizer: "PreTrainedTokenizerBase", tokens: int
) -> list[list[int]]:
    """The tokens of as many of the documents as fill `tokens`, each with its end."""
    found: list[list[int]] = []
    left = tokens
    for document in documents:
        if left <= 0:
            break
        text = f"{document.title}\n\n{document.text}" if document.title else document.text
        found.append([*tokenizer.encode(text, add_special_tokens=False), int(tokenizer.eos_token_id)])
        left -= len(found[-1])
    return found


def _packed(documents: Sequence[Sequence[int]], length: int, count: int, *, name: str) -> Tokenised:
    """At most `count` rows; a last one of a single token would have nothing to predict."""
    flat = [token for document in documents for token in document]
    parts = [flat[start : start + length] for start in range(0, len(flat), length)][:count]
    rows = [
        TokenRow(input_ids=tuple(part), answer_start=1, truncated=False) for part in parts if len(part) > 1
    ]
    return Tokenised(
        rows=tuple(rows),
        examples=tuple(_named(f"{name}-{number}") for number in range(len(rows))),
        no_room=0,
    )


def _named(name: str) -> Grounded:
    """What a row of text is called; it has no question."""
    example = Example.plain(name, "", "", source=DOCUMENTS, task=TASK, group=name)
    return Grounded(example=example, messages=(), target="", outcome="free")

"""Raw documents as rows to go on pre-training with (Gururangan et al. 2020, arXiv:2004.10964): packed text.

Documents follow each other in a drawn order, each ended by the tokenizer's end of text, and are cut into rows
of `sft.max_length` tokens, all of which count in the loss. A row may hold parts of several documents, as in
pre-training itself.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING

from tasks.errors import TrainingError
from tasks.rows.grounding import Grounded
from tasks.rows.records import Document, Example, Learned
from tasks.rows.reports import RowCount, row_counts
from tasks.rows.tables import read_table
from tasks.training.settings import SftSettings
from tasks.training.tuning.learned import Parts
from tasks.training.tuning.tokens import OVER, Tokenised, TokenRow

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

DOCUMENTS = "documents"
TASK = "document"
FOR_VALIDATION = "for validation"


@dataclass(frozen=True, slots=True, kw_only=True)
class Packed:
    """Raw text as rows: those to train on, and those to validate by, of other documents.

    `counts` says what became of all documents; `parts` and `others` tell of which documents the rows to train
    on hold how many tokens, and which they hold none of.
    """

    training: Tokenised
    validation: Tokenised
    counts: list[RowCount]
    parts: list[Parts]
    others: list[Learned]


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
) -> Packed:
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
        unused={OVER: unused, FOR_VALIDATION: len(held)},
    )
    taken = drawn[len(held) :][: len(chosen)]
    return Packed(
        training=_packed(chosen, length, settings.max_rows, name="text"),
        validation=_packed(held, length, settings.validation_rows, name="held"),
        counts=counts,
        parts=_parts(taken, chosen, length, settings.max_rows),
        others=[
            *(_learned(each, 0, FOR_VALIDATION) for each in drawn[: len(held)]),
            *(_learned(each, 0, OVER) for each in drawn[len(held) + len(chosen) :]),
        ],
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


def _parts(
    documents: Sequence[Document], tokens: Sequence[Sequence[int]], length: int, count: int
) -> list[Parts]:
    """Which documents each row holds, by how many tokens; what a row begins with, nothing has to predict."""
    ends = [0, *accumulate(map(len, tokens))]
    parts: list[Parts] = []
    for start in range(0, ends[-1], length)[:count]:
        end = min(start + length, ends[-1])
        held = [
            _learned(document, min(end, last) - max(start, first) - (first <= start))
            for document, first, last in zip(documents, ends, ends[1:], strict=False)
            if first < end and last > start
        ]
        parts += [tuple(held)] if end - start > 1 else []
    return parts


def _learned(document: Document, tokens: int, reason: str = "") -> Learned:
    return Learned(
        id=document.id,
        kind="document",
        source=document.source,
        form="text",
        times=0 if reason else 1,
        tokens=tokens,
        reason=reason,
    )


def _named(name: str) -> Grounded:
    """What a row of text is called; it has no question."""
    example = Example.plain(name, "", "", source=DOCUMENTS, task=TASK, group=name)
    return Grounded(example=example, messages=(), target="", outcome="free")

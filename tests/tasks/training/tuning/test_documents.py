"""Protects training on raw text: each token of the chosen documents once, and none of those that validate."""

from pathlib import Path

import pytest

from deploy.engines.chat import load_tokenizer
from tasks.errors import TrainingError
from tasks.rows.records import Document
from tasks.rows.reports import unbalanced
from tasks.settings import Settings
from tasks.training.tuning.documents import packed_documents
from tasks.training.tuning.tuning import fine_tune
from tests.deploy.knowledge.listed import reader


def documents(count: int) -> list[Document]:
    return [
        Document(
            id=f"d{number}",
            source="files",
            uri=f"file:{number}",
            title=f"tol {number}",
            text="kernel tol gamma. " * (5 + number % 7),
            metadata={},
            sha256="",
        )
        for number in range(count)
    ]


def test_rows_are_the_documents_one_behind_the_other(tiny_base: Path, settings: Settings) -> None:
    tokenizer = load_tokenizer(tiny_base)
    sft = settings.sft.model_copy(update={"max_length": 64, "validation_rows": 2, "max_rows": 1000})
    packed = packed_documents(documents(30), tokenizer, settings=sft, seed=1)
    texts, held, counts = packed.training, packed.validation, packed.counts
    assert not unbalanced(counts)
    assert {len(row.input_ids) for row in texts.rows[:-1]} == {64}
    assert all(row.answer_tokens == len(row.input_ids) - 1 for row in texts.rows)
    read = [
        text
        for part in (held, texts)
        for text in tokenizer.decode([t for row in part.rows for t in row.input_ids]).split("<|im_end|>")
        if text
    ]
    wanted = {f"{each.title}\n\n{each.text}" for each in documents(30)}
    whole = [text for text in read if text in wanted]
    assert len(whole) == len(set(whole))  # what validates is not trained on
    assert len(whole) >= 28  # all but the last of validation, which is cut at its last row


def test_more_documents_than_asked_for_are_counted(tiny_base: Path, settings: Settings) -> None:
    sft = settings.sft.model_copy(update={"max_length": 64, "validation_rows": 1, "max_rows": 3})
    packed = packed_documents(documents(30), load_tokenizer(tiny_base), settings=sft, seed=1)
    texts, held, counts = packed.training, packed.validation, packed.counts
    assert (len(texts.rows), len(held.rows)) == (3, 1)
    assert not unbalanced(counts)
    reasons = {count.reason for count in counts if count.outcome == "unused"}
    assert reasons == {"over sft.max_rows", "for validation"}


def test_without_documents_it_says_what_to_do(tiny_base: Path, settings: Settings) -> None:
    with pytest.raises(TrainingError, match=r"none is left to train on; add some to collect\.sources"):
        packed_documents([], load_tokenizer(tiny_base), settings=settings.sft, seed=1)


def test_a_model_goes_on_pre_training_with_documents(
    tiny_base: Path, settings: Settings, tmp_path: Path
) -> None:
    sft = settings.sft.model_copy(
        update={"rows": "documents", "max_length": 64, "validation_rows": 4, "max_rows": 24, "epochs": 4}
    )
    tuned = fine_tune(
        [], [], reader([]), tiny_base, work=tmp_path, run=settings.run, settings=sft, documents=documents(60)
    )
    figures = tuned.report.figures
    assert figures["validation_loss"] < figures["validation_loss_before"]
    assert figures["targets"]["free"] == 24
    assert (tuned.adapter / "adapter_model.safetensors").is_file()

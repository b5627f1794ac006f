"""Protects the measure of forgetting: padding does not count, and an unchanged model has kept everything."""

import math
from pathlib import Path

import pytest

from deploy.engines.chat import load_tokenizer
from deploy.engines.local import TransformersEngine
from tasks.evaluation.retention import likelihoods, mean_nll, passages, retention


@pytest.fixture(scope="module")
def engine(tiny_base: Path, tiny_adapters: dict[str, Path]) -> TransformersEngine:
    return TransformersEngine(tiny_base, tiny_adapters)


def test_the_general_text_is_prose_and_questions_of_some_length() -> None:
    texts = passages()
    assert len(texts) == 24
    assert 1000 < sum(len(text.split()) for text in texts) < 1500
    assert sum(text.startswith("Question:") for text in texts) == 6
    assert not any(word in " ".join(texts).lower() for word in ("numpy", "python", "parameter"))


def test_the_mean_is_over_tokens_whatever_stands_together_in_a_batch(
    engine: TransformersEngine, tiny_base: Path
) -> None:
    tokenizer = load_tokenizer(tiny_base)
    texts = ["short text", "a much longer text that needs padding beside it", "middle one here"]
    with engine.held("base") as model:
        together = mean_nll(model, tokenizer, texts)
        alone = [mean_nll(model, tokenizer, [text]) for text in texts]
    sizes = [len(tokenizer.encode(text, add_special_tokens=False)) - 1 for text in texts]
    weighted = sum(nll * size for nll, size in zip(alone, sizes, strict=True)) / sum(sizes)
    assert together == pytest.approx(weighted, rel=1e-5)


def test_adapters_are_measured_with_their_own_weights(engine: TransformersEngine, tiny_base: Path) -> None:
    found = likelihoods(engine, load_tokenizer(tiny_base))
    assert set(found) == {"base", "sft", "rlhf"}
    assert len(set(found.values())) == 3


def test_retention_is_a_ratio_of_likelihoods() -> None:
    assert retention(2.0, 2.0) == 1.0
    assert retention(2.0, 2.5) == pytest.approx(math.exp(-0.5))

"""Protects the divergence from the base: nothing for an unchanged model, the sum over the vocabulary else."""

from pathlib import Path

import pytest

from deploy.engines.chat import load_tokenizer
from deploy.engines.local import TransformersEngine
from tasks.evaluation.divergence import answer_chances, divergences
from tests.conftest import write_random_lora

PROMPTS = "Name three animals.\n\nWhat is two plus two, and why?\n\nWrite a line about the sea in winter.\n"


@pytest.fixture
def prompts(tmp_path: Path) -> Path:
    path = tmp_path / "prompts.txt"
    path.write_text(PROMPTS, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def unchanged(tiny_base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An adapter that changes nothing."""
    return write_random_lora(tmp_path_factory.mktemp("unchanged"), tiny_base, seed=1, spread=0.0)


def test_only_a_changed_model_diverges(
    tiny_base: Path, tiny_adapters: dict[str, Path], unchanged: Path, prompts: Path
) -> None:
    engine = TransformersEngine(tiny_base, {"same": unchanged, **tiny_adapters})
    found = divergences(engine, load_tokenizer(tiny_base), prompts)
    assert found["base"] == [0.0] * 3
    assert found["same"] == pytest.approx([0.0] * 3, abs=1e-6)
    assert min(found["sft"] + found["rlhf"]) > 1e-3
    assert found["sft"] != found["rlhf"]


def test_it_is_the_divergence_at_the_tokens_of_the_answer(
    tiny_base: Path, tiny_adapters: dict[str, Path]
) -> None:
    import torch

    engine = TransformersEngine(tiny_base, tiny_adapters)
    rows, starts = [list(range(5, 25)), list(range(40, 75))], [12, 30]
    with engine.held("sft") as logits:
        together = answer_chances(logits, rows, starts)
        for row, start, chances in zip(rows, starts, together, strict=True):
            alone = torch.log_softmax(logits(torch.tensor([row]))[0], dim=-1)
            assert chances.shape[0] == len(row) - start
            torch.testing.assert_close(chances, alone[start - 1 : -1], atol=1e-5, rtol=1e-5)

"""Protects IFD: the losses are the model's own, of the answer alone and behind its question."""

from pathlib import Path

import pytest
import torch

from benchmarks.models.families import write_tiny_model
from deploy.engines.chat import answer_ids, load_tokenizer, prompt_ids
from deploy.engines.loading import load_model
from tasks.prepare.selection.difficulty import difficulties
from tests.tasks.rows.made import question

EXAMPLES = [
    question("a", "Why is it so?", "Because it was."),
    question("b", "Who?", "She and the others, who came a little later than they had said."),
    question("c", "Say a number, and say why it is that one and no other.", "7"),
]


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_model(tmp_path_factory.mktemp("base"), "llama")


def loss(base: Path, prompt: list[int], answer: list[int]) -> float:
    """The loss as transformers computes it from labels, for one row."""
    model = load_model(base, dtype="float32", device="cpu")
    labels = torch.tensor([[-100] * len(prompt) + answer])
    with torch.inference_mode():
        return float(model(input_ids=torch.tensor([prompt + answer]), labels=labels).loss)


def test_both_losses_are_those_of_the_model_whatever_shares_the_batch(base: Path) -> None:
    model, tokenizer = load_model(base, dtype="float32", device="cpu"), load_tokenizer(base)
    told: list[int] = []
    found = difficulties(EXAMPLES, model, tokenizer, progress=told.append)
    assert told[-1] == len(EXAMPLES)
    for example, each in zip(EXAMPLES, found, strict=True):
        assert each is not None
        answer = answer_ids(tokenizer, example.answer)
        assert each.tokens == len(answer)
        assert each.given == pytest.approx(
            loss(base, prompt_ids(tokenizer, example.prompt), answer), rel=1e-4
        )
        assert each.alone == pytest.approx(loss(base, [tokenizer.bos_token_id], answer), rel=1e-4)
        assert each.ratio == pytest.approx(each.given / each.alone)


def test_a_row_that_does_not_fit_has_none_and_the_others_keep_their_places(base: Path) -> None:
    model, tokenizer = load_model(base, dtype="float32", device="cpu"), load_tokenizer(base)
    long = question("long", "Why? " * 600, "So.")
    whole = difficulties([long, *EXAMPLES], model, tokenizer)
    assert whole[0] is None
    assert [each and round(each.ratio, 4) for each in whole[1:]] == [
        each and round(each.ratio, 4) for each in difficulties(EXAMPLES, model, tokenizer)
    ]


def test_nothing_to_judge_is_no_fault(base: Path) -> None:
    assert difficulties([], load_model(base, dtype="float32", device="cpu"), load_tokenizer(base)) == []

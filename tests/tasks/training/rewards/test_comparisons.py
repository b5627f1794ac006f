"""Protects rows of several answers: which pairs they hold, what each counts, and the loss by hand."""

import math
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tasks.machine.device import Device
from tasks.training.rewards.comparisons import collate, comparisons
from tasks.training.rewards.pairs import balanced, scaled
from tests.tasks.training.rewards.made import token_pair

RANKED = [
    token_pair((1, 2), (5, 0), (6, 0)),
    token_pair((3,), (5, 0), (7, 8, 0)),
    token_pair((1, 2), (5, 0), (7, 0)),
    token_pair((1, 2), (6, 0), (7, 0)),
]


def test_all_pairs_of_a_prompt_stand_in_one_row_with_each_answer_once() -> None:
    first, second = comparisons(RANKED, longest=99)
    assert first.answers == ((5, 0), (6, 0), (7, 0))
    assert [(each.better, each.worse, each.place) for each in first.judged] == [
        (0, 1, 0),
        (0, 2, 2),
        (1, 2, 3),
    ]
    assert [each.place for each in second.judged] == [1]
    assert (len(first), len(second)) == (8, 6)


def test_a_row_that_would_be_too_long_is_followed_by_another() -> None:
    rows = comparisons(RANKED, longest=7)
    assert [len(row.judged) for row in rows] == [1, 1, 1, 1]
    assert max(map(len, rows)) == 6
    assert sorted(each.place for row in rows for each in row.judged) == [0, 1, 2, 3]


@given(st.lists(st.tuples(*[st.integers(1, 3)] * 3), min_size=1, max_size=12), st.integers(1, 12))
def test_no_pair_is_lost_or_changed(drawn: list[tuple[int, int, int]], longest: int) -> None:
    pairs = [token_pair((prompt,), (one, 0), (other, 9, 0)) for prompt, one, other in drawn]
    rows = comparisons(pairs, longest=longest)
    found = {
        each.place: (row.prompt, row.answers[each.better], row.answers[each.worse])
        for row in rows
        for each in row.judged
    }
    assert found == {place: (pair.prompt, pair.chosen, pair.rejected) for place, pair in enumerate(pairs)}


def test_each_row_counts_alike_however_many_pairs_it_has() -> None:
    batch = collate(comparisons(RANKED, longest=99))
    assert batch["weights"].tolist() == pytest.approx([1 / 6, 1 / 6, 1 / 6, 1 / 2])
    assert batch["ends"].tolist() == [[3, 5, 7], [2, 5, 0]]
    assert batch["better"].tolist() == [0, 0, 1, 3]
    assert batch["worse"].tolist() == [1, 2, 2, 4]
    assert batch["places"].tolist() == [0, 2, 3, 1]


def test_the_loss_is_that_of_bradley_and_terry_with_margin_and_centring() -> None:
    from tasks.training.rewards.trainer import bradley_terry

    better, worse = torch.tensor([1.0, 0.5]), torch.tensor([0.0, 1.0])
    margins, weights = torch.tensor([0.5, 0.0]), torch.tensor([0.25, 0.75])
    found = bradley_terry(better, worse, margins, weights=weights, centring=0.1)
    first, second = -math.log(1 / (1 + math.exp(-0.5))), -math.log(1 / (1 + math.exp(0.5)))
    assert found.item() == pytest.approx(0.25 * (first + 0.1 * 1.0) + 0.75 * (second + 0.1 * 2.25), abs=1e-6)


def test_margins_end_at_the_one_that_is_set() -> None:
    pairs = [token_pair((1,), (2,), (3,), margin=margin) for margin in (0.0, 2.0, 8.0)]
    assert [pair.margin for pair in scaled(pairs, 0.5)] == [0.0, 0.125, 0.5]
    assert [pair.margin for pair in scaled(pairs[:1], 0.5)] == [0.0]


def test_balanced_pairs_tell_nothing_by_their_length() -> None:
    longer, shorter, equal = (
        token_pair((1,), (2,) * one, (3,) * other) for one, other in ((3, 1), (1, 3), (2, 2))
    )
    weights = balanced([longer, longer, longer, shorter, equal])
    assert sum(weights[:3]) == pytest.approx(weights[3])
    assert sum(weights) == pytest.approx(5.0)
    assert weights[4] == 1.0
    assert balanced([longer, longer]) == [1.0, 1.0]


def test_a_batch_goes_to_where_the_model_is(tiny_base: Path) -> None:
    """Rows are made on the CPU; `meta` stands for a GPU here, and takes no part of another place."""
    from peft import LoraConfig, get_peft_model

    from tasks.methods.parts.base_model import load_classifier
    from tasks.training.rewards.model import score_at

    device = Device(name="cpu", threads=1, precision="float32")
    model = get_peft_model(load_classifier(tiny_base, device), LoraConfig(task_type="SEQ_CLS")).to("meta")
    batch = collate(comparisons(RANKED, longest=50))
    scored = score_at(
        model, batch["input_ids"], batch["ends"], mask=batch["mask"], positions=batch["positions"]
    )
    assert (scored.device.type, scored.shape) == ("meta", batch["ends"].shape)

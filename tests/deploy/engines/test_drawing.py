"""Protects draws: each token as often as its chance says, and one without a chance never."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from deploy.engines.drawing import drawn

LARGEST = 1.0 - 2.0**-24  # that a draw of float32 may be


@given(
    st.lists(st.floats(0.0, 1.0, width=32), min_size=1, max_size=40).filter(lambda row: sum(row) > 1e-3),
    st.sampled_from([0.0, 2.0**-24, 0.25, 0.5, LARGEST]),
)
def test_what_has_no_chance_is_never_drawn(weights: list[float], number: float) -> None:
    chances = torch.tensor([weights])
    [token] = drawn(chances / chances.sum(), torch.tensor([number])).tolist()
    assert weights[token] > 0.0


def test_each_token_is_drawn_as_often_as_its_chance_says() -> None:
    chances = torch.tensor([0.5, 0.0, 0.2, 0.3])
    count = 4000
    numbers = (torch.arange(count) + 0.5) / count
    found = drawn(chances.expand(count, -1), numbers).bincount(minlength=4) / count
    assert found.tolist() == pytest.approx(chances.tolist(), abs=1e-3)


def test_rows_are_drawn_by_numbers_of_their_own() -> None:
    chances = torch.tensor([[0.9, 0.1], [0.1, 0.9]])
    assert drawn(chances, torch.tensor([0.5, 0.5])).tolist() == [0, 1]
    assert drawn(chances, torch.tensor([0.95, 0.05])).tolist() == [1, 0]

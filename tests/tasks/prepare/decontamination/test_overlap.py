"""Protects what counts as holding an item: quoted in any dress and company, but not by a common phrase."""

import random
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.prepare.decontamination.overlap import Overlap, overlaps

ITEM = "Which river did the last Roman legions of the province cross before the winter of that year began?"
SHORT = "What is a monad?"


def found(*texts: str, items: tuple[str, ...] = (ITEM, SHORT)) -> dict[int, Overlap]:
    """What a single row of these texts holds, and nothing that any other does."""
    return overlaps([["Nothing to see here."], texts], items)


@pytest.mark.parametrize(
    "text",
    [
        ITEM,
        ITEM.upper(),
        "which river did the last roman legions\nof the province cross before the winter of that year began",
        f"Read this: they came in autumn. {ITEM} Answer in one word.",
        f'> "{ITEM}"\n\nsomebody asked here; who knows?',
    ],
)
def test_an_item_is_found_in_any_dress_and_any_company(text: str) -> None:
    assert found(text) == {1: Overlap(0, 1.0)}
    assert found("Something else.", text) == {1: Overlap(0, 1.0)}  # and in an answer


def test_a_part_of_an_item_counts_by_its_share() -> None:
    part = found("Which river did the last Roman legions of the city cross before the winter of that year?")
    assert part[1].item == 0
    assert 0.1 <= part[1].share < 1.0
    assert found("Before the winter of that year began nobody crossed it.") == {}
    assert found("The last Roman legions", "of the province cross before the winter") == {}  # two texts


def test_a_short_item_has_to_be_a_sentence_of_its_own() -> None:
    for text in (
        "what is a monad",
        "Tell me: what is a monad? And why?",
        "# What is a monad\nA thing.",
        '"What is a monad"',
    ):
        assert found(text) == {1: Overlap(1, 1.0)}, text
    for text in ("What is a monad transformer?", "I know what is a monad, thanks.", "What is a nomad?"):
        assert found(text) == {}, text
    assert found("Say why? I ask.", items=("Why?", "Say why?")) == {}  # of such few words none is looked for


def test_a_frame_that_many_items_share_tells_of_none() -> None:
    frame = "Answer the following question with one letter and nothing else at all."
    items = tuple(
        f"{frame} How high is the tower of the town called {name} above the sea?" for name in "ABCDEFGHIJKL"
    )
    assert found(f"{frame} Who was here?", items=items) == {}
    assert found(items[7], items=items)[1].item == 7
    assert found(f"{frame} Who was here?", items=items[:3])[1].share >= 0.1  # three might be the same item


def test_an_item_that_stands_twice_is_told_by_its_first_place() -> None:
    assert found(ITEM, items=(SHORT, ITEM, ITEM.lower()))[1].item == 1
    assert overlaps([], [ITEM]) == {}
    assert overlaps([[ITEM]], []) == {}
    assert overlaps([[]], [ITEM]) == {}
    assert overlaps([["", "???"]], [ITEM, "???", ""]) == {}


WORD = st.text(st.characters(codec="utf-8", categories=["L", "N"]), min_size=1, max_size=6)


@settings(max_examples=60)
@given(
    item=st.lists(WORD, min_size=8, max_size=20),
    before=st.lists(WORD, max_size=12),
    behind=st.lists(WORD, max_size=12),
    sign=st.sampled_from([" ", "  ", "\n", ", ", " - ", ".\n\n"]),
)
def test_whatever_stands_around_an_item_it_is_found(
    item: list[str], before: list[str], behind: list[str], sign: str
) -> None:
    quoted = sign.join([*before, *item, *behind])
    assert overlaps([[quoted]], [" ".join(item)]) == {0: Overlap(0, 1.0)}


def test_twenty_thousand_rows_take_a_second() -> None:
    chance = random.Random(7)
    known = [f"word{n}" for n in range(4000)]
    text = lambda many: " ".join(chance.choices(known, k=many))  # noqa: E731
    rows = [[text(20), text(15)] for _ in range(20_000)]
    items = [text(12) for _ in range(3000)]
    start = time.process_time()
    assert overlaps([*rows, [f"{text(9)} {items[9]}"]], items) == {20_000: Overlap(9, 1.0)}
    assert time.process_time() - start < 5.0  # a fifth of it on an idle machine

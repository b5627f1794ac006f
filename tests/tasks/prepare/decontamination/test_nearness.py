"""Protects what counts as near: the same in other order or within a text, but no other name in a frame."""

import math
import time
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deploy.messages import Message
from tasks.prepare.decontamination.nearness import Match, matches
from tasks.rows.identity import asked_text
from tasks.rows.literal import STOP_WORDS

FRAMED = [f"In `lib.part{n // 20}.Thing{n}`, what is the default of `knob{n}`?" for n in range(200)]
HELD = "In `lib.part3.Thing77`, what is the default of `knob5`?"


def user(*turns: str) -> tuple[Message, ...]:
    """A conversation of a user's turns, with an answer between them."""
    said = [message for turn in turns for message in (Message("user", turn), Message("assistant", "So."))]
    return tuple(said[:-1])


def found(*questions: str, held: str = HELD, near: float = 0.7) -> dict[int, Match]:
    """The matches of `questions` among many of the same frame."""
    asked = [user(text) for text in (*questions, *FRAMED)]
    return matches(asked, [user(held)], near=near)


def test_the_same_question_is_found_whatever_its_case_and_signs() -> None:
    match = found("in lib.part3.Thing77 what is the default of KNOB5")[0]
    assert (match.held, match.nearness, match.same) == (0, 1.0, True)
    assert found("???", held=" ??? ")[0].same


@pytest.mark.parametrize(
    "near",
    [
        "What is the default of `knob5` in `lib.part3.Thing77`?",
        "what's the default of knob5, in lib.part3.Thing77, please?",
        "Good morning, I have a question that has bothered me since yesterday, when my program stopped, and "
        f"it is this one: {HELD} I would be glad if somebody could tell me, with a link to where it is said.",
    ],
)
def test_other_order_and_text_around_it_are_near(near: str) -> None:
    match = found(near)[0]
    assert not match.same
    assert 0.7 <= match.nearness <= 1.0


def test_a_common_frame_makes_no_two_questions_one() -> None:
    # Nine of eleven words are the same, here and in each of the others.
    assert found("In `lib.part3.Thing78`, what is the default of `knob6`?", "Why?") == {}


def test_a_short_question_is_not_looked_for_within_long_ones() -> None:
    long = "I would like to know how people in your town usually renew my card, and where they go for it."
    assert found(long, held="How to renew my card?") == {}


def test_a_conversation_is_compared_by_all_that_it_asks_and_by_each_turn() -> None:
    asked = [
        user("Hello there, friend.", HELD),
        user("In `lib.part3.Thing77`, what is `knob5`?", "Its default?"),
    ]
    assert set(matches(asked, [user(HELD)], near=0.9)) == {0}
    follow_up = user("What is `alpha`?", "And its default?")
    others = [user("What is `beta`?", "And its default?"), follow_up]
    assert {place: m.same for place, m in matches(others, [follow_up], near=0.9).items()} == {1: True}
    assert asked_text(follow_up) == "What is `alpha`?\nAnd its default?"


def test_the_nearest_of_several_is_named_and_the_threshold_counts() -> None:
    held = [user(FRAMED[3]), user(HELD), user("Why?")]
    asked = [user("What is the default of `knob5` in `lib.part3.Thing77` now?"), *map(user, FRAMED[50:])]
    match = matches(asked, held, near=0.7)[0]
    assert match.held == 1
    assert 0 not in matches(asked, held, near=1.0)
    assert 0 in matches(asked, held, near=match.nearness)


def test_nothing_is_near_to_nothing() -> None:
    assert matches([], [user(HELD)], near=0.5) == {}
    assert matches([user(HELD)], [], near=0.5) == {}


SAID = st.lists(st.sampled_from(["the", "what", *"abcdefghijkl"]), min_size=1, max_size=14).map(tuple)


@settings(max_examples=150)
@given(
    texts=st.lists(SAID, max_size=8), held=st.lists(SAID, max_size=5, unique=True), near=st.floats(0.3, 1.0)
)
def test_nothing_that_is_near_is_passed_over(
    texts: list[tuple[str, ...]], held: list[tuple[str, ...]], near: float
) -> None:
    """All pairs are compared here, by the definition; the code leaves out those that cannot be near."""
    found = matches(
        [user(" ".join(text)) for text in texts], [user(" ".join(text)) for text in held], near=near
    )
    for place, text in enumerate(texts):
        every = [nearness(text, other, texts, held) for other in held]
        most = max(every, default=0.0)
        if text in held:
            assert found[place] == Match(held.index(text), 1.0, same=True)
        elif abs(most - near) > 2e-4:
            assert (place in found) == (most > near)
            if place in found:
                assert every[found[place].held] == pytest.approx(most, abs=2e-4)
                assert found[place].nearness == pytest.approx(most, abs=2e-4)


def nearness(
    text: tuple[str, ...], held: tuple[str, ...], texts: list[tuple[str, ...]], others: list[tuple[str, ...]]
) -> float:
    parts = [*texts, *others]

    def runs(said: tuple[str, ...]) -> set[tuple[str, ...]]:
        return {said[at : at + 3] for at in range(len(said) - 2)}

    words = Counter(word for part in parts for word in set(part)) | dict.fromkeys(STOP_WORDS, len(parts))
    of_runs = [*map(runs, texts), *(runs(part) for part in others if len(part) >= 8)]
    counts = Counter(run for part in of_runs for run in part)

    def weight(some: set[str]) -> float:
        return math.fsum(math.log1p(len(parts) / words[word]) for word in some)

    def heavy(some: set[tuple[str, ...]]) -> float:
        return math.fsum(math.log1p(len(parts) / counts[run]) for run in some)

    shared, asked = set(text) & set(held), runs(held) if len(held) >= 8 else set()
    within = heavy(runs(text) & asked) / heavy(asked) * weight(shared) / weight(set(held)) if asked else 0.0
    return max(weight(shared) / weight(set(text) | set(held)), within)


def test_ten_thousand_rows_take_seconds() -> None:
    asked = [user(f"{FRAMED[n % 200]} Case {n}, of {n % 7}.") for n in range(10_000)]
    start = time.process_time()
    matches(asked, [user(text) for text in FRAMED], near=0.9)
    assert time.process_time() - start < 10.0

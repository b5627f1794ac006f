"""Protects the wordings: each frame can be said, a fifth is held out, and slots survive the keyboard."""

import random
from collections import Counter
from itertools import chain

import pytest

from tasks.prepare.collect.documentation.paraphrase import doing
from tasks.prepare.collect.documentation.wording import meanings, talk, turns, values
from tasks.prepare.collect.documentation.wording.grammar import (
    UNSEEN_WORDING,
    choose,
    expanded,
    filled,
    folded,
)
from tasks.prepare.collect.documentation.wording.names import (
    imported,
    parameter,
    spelled,
    unabbreviated,
)
from tasks.prepare.collect.documentation.wording.surface import slipped, spoken
from tasks.prepare.collect.documentation.wording.things import counted, things

LISTS = {
    **{name: getattr(values, name) for name in ("DEFAULT", "HOW_MANY", "CONFIRM", "SWITCH", "COMPARE")},
    **{name: getattr(values, name) for name in ("WHICH", "WHICH_OF_TWO")},
    **{name: getattr(meanings, name) for name in ("PURPOSE", "NONE", "EXISTS", "DOING", "DESCRIBED")},
    **{f"{name} {kind}": frames for name in ("OTHER_PARAMETER", "SAME_PARAMETER", "FOUND")
       for kind, frames in getattr(turns, name).items()},
    **{f"talk {place}": frames for place, (_, frames) in enumerate(talk.SMALL_TALK)},
    "OFF_TOPIC": talk.OFF_TOPIC,
}  # fmt: skip
SLOTS = {
    "COMPARE": {"f", "g", "p"},
    "WHICH": {"f", "g", "h", "p"},
    "WHICH_OF_TWO": {"f", "g", "p"},
    "CONFIRM": {"f", "p", "v"},
    "HOW_MANY": {"f", "n"},
    "DEFAULT": {"f", "p"},
    "SWITCH": {"f", "p"},
    "PURPOSE": {"f", "p"},
    "NONE": {"f", "p"},
    "EXISTS": {"f", "p"},
}


@pytest.mark.parametrize("name", LISTS)
def test_each_frame_can_be_said_and_no_list_has_one_twice(name: str) -> None:
    assert len(set(LISTS[name])) == len(LISTS[name])
    for seed, frame in enumerate(LISTS[name]):
        text = expanded(frame, random.Random(seed))
        assert not set("[]|") & set(text), text
        asked: list[str] = []
        said = filled(text, _Noting(asked))
        assert "{" not in said
        assert set(asked) == SLOTS.get(name, set(asked)), frame


class _Noting(dict[str, str]):
    def __init__(self, asked: list[str]) -> None:
        super().__init__()
        self._asked = asked

    def __missing__(self, slot: str) -> str:
        self._asked.append(slot)
        return slot


@pytest.mark.parametrize("name", LISTS)
def test_one_frame_in_five_is_for_the_test_alone(name: str) -> None:
    held = Counter(frame.held_out for frame in folded(LISTS[name]))
    assert held[UNSEEN_WORDING] == len(LISTS[name]) // 5 >= 1
    assert held["validation"] == (len(LISTS[name]) + 7) // 10
    drawn = {choose(LISTS[name], random.Random(n), unseen=True).held_out for n in range(30)}
    assert drawn == {UNSEEN_WORDING}


def test_a_frame_that_is_added_moves_no_other() -> None:
    grown = (*values.DEFAULT, "New {p} in {f}?")
    assert folded(grown)[:-1] == folded(values.DEFAULT)


def test_no_frame_stands_in_training_under_another_kind() -> None:
    questions = [frame for name, frames in LISTS.items() if name.isupper() for frame in frames]
    assert len(set(questions)) == len(questions)


def test_values_are_put_in_as_they_are() -> None:
    assert filled("{p} of {f}?", {"p": "{f} [a|b]", "f": "\\1"}) == "{f} [a|b] of \\1?"
    assert expanded("[a|b [c|c]|] x", random.Random(2)) in ("a x", "b c x", "x")


def test_the_keyboard_spares_names_and_slots() -> None:
    frames = list(chain.from_iterable(LISTS.values()))
    for seed in range(400):
        draw = random.Random(seed)
        text = expanded(frames[seed % len(frames)], draw)
        for changed in (spoken(text, draw), slipped(text, draw)):
            assert [w for w in changed.split() if "{" in w] == [w for w in text.split() if "{" in w] or (
                changed.count("{") == text.count("{")
            )
    assert slipped("the default", random.Random(1)) != "the default"
    assert slipped("a `parameter` {parameter}", random.Random(1)) == "a `parameter` {parameter}"


def test_people_have_many_names_for_one_thing() -> None:
    said = {parameter("sample_weight", random.Random(n)) for n in range(60)}
    assert said == {"sample_weight", "`sample_weight`", "'sample_weight'", "sample weight"}
    assert "maximum iterations" in {parameter("max_iter", random.Random(n)) for n in range(60)}
    assert unabbreviated("n_init") == "number of initialisation"
    assert spelled("RandomForestClassifier") == "random forest classifier"
    assert [imported(name) for name in ("numpy.sum", "scipy.stats.norm")] == ["np.sum", "stats.norm"]


def test_a_parameter_is_called_by_what_it_is() -> None:
    assert things(
        ["The number of trees in the forest.", "Number of jobs (in parallel).", "If True, copy."]
    ) == [
        "number of trees in the forest",
        "number of jobs",
        "",
    ]
    assert counted("number of trees in the forest") == "trees in the forest"
    assert counted("maximum number of iterations") == counted("number of rows or columns") == ""


def test_what_two_parameters_are_names_neither() -> None:
    assert things(["The input array.", "The input array.", "A location into which it is stored."]) == [
        "",
        "",
        "",
    ]


@pytest.mark.parametrize(
    ("summary", "said"),
    [
        ("Compute the sum of array elements.", True),
        ("Returns the sum of its elements (see below).", True),
        ("Median of the array.", False),
        ("Compute.", False),
    ],
)
def test_a_summary_in_the_imperative_is_worded_anew(summary: str, said: bool) -> None:
    found = {doing(summary, random.Random(n)) for n in range(40)}
    assert (len(found) > 5) == said
    assert said or found == {""}
    assert not any("(" in text or text.endswith(".") for text in found)

"""Protects a test set: what asks the same, nearly the same, or is of its group, is not trained on."""

from collections.abc import Mapping, Sequence

from tasks.prepare.decontamination.own_sets import DOCUMENT, GROUP, NEAR, SAME, contaminated, taken_by_name
from tasks.prepare.similar.rows import Asked
from tests.tasks.rows.made import pair, question

OWN = [
    question("own 1", "How long may I keep a book?", held_out="own questions", group="loans"),
    question("own 2", "What does a lost card cost me?", held_out="hard ones"),
]
TRAINED = [
    question("same", "how long may i keep a book"),
    question("near", "A book: how long may I keep it?"),
    question("far", "Who was the first librarian of the town?"),
    question("grouped", "May I lend it to a friend?", group="loans"),
    question("united", "When do you open on Sundays?", group="another name"),
    pair("near", prompt=question("", "A lost card, what does it cost me?").prompt),
]


def taken(own: Sequence[Asked], groups: Mapping[str, str]) -> dict[tuple[str, str], tuple[str, str]]:
    """Each row that is taken out: why, and the id of the row that it is like."""
    came_with = [groups.get(row.id, row.group) for row in TRAINED]
    found = contaminated(TRAINED, own, came_with, near=0.7)
    kinds = ["preference" if row is TRAINED[-1] else "example" for row in TRAINED]
    return {(kinds[each.place], TRAINED[each.place].id): (each.reason, each.held.id) for each in found}


def test_what_is_like_a_held_out_question_is_taken_out_with_its_reason() -> None:
    assert taken(OWN, {"united": "loans"}) == {
        ("example", "same"): (SAME, "own 1"),
        ("example", "near"): (NEAR, "own 1"),
        ("example", "grouped"): (GROUP, "own 1"),
        ("example", "united"): (GROUP, "own 1"),  # by the group that it came with
        ("preference", "near"): (NEAR, "own 2"),
    }
    assert taken([], {}) == {}


def test_it_is_told_by_id_and_counted_by_name() -> None:
    found = contaminated(TRAINED, OWN, [row.group for row in TRAINED], near=0.7)
    assert found[0].told() == "own 1 (own questions)"
    assert found[1].told().startswith("own 1 (own questions), nearness 0.")
    assert taken_by_name((each.held.held_out, each.reason) for each in found) == {
        "hard ones": {SAME: 0, NEAR: 1, GROUP: 0, DOCUMENT: 0},
        "own questions": {SAME: 1, NEAR: 1, GROUP: 1, DOCUMENT: 0},
    }

"""Protects what tables say of each other: evidence, shared ids, groups and answers that contradict."""

from dataclasses import replace

import pytest

from deploy.messages import Message
from tasks.prepare.validate.between import Between
from tasks.rows.records import Preference
from tests.tasks.rows.made import document, pair, question, rows

KNOWN = Between.of(rows(documents=[document("d1", "C=1.0 :", title="svm.SVC"), document("d2", "Other.")]))


def test_documents_are_known_by_their_ids() -> None:
    assert KNOWN.known(())
    assert KNOWN.known(("d1", "d2", "d1"))
    assert not KNOWN.known(("d1", "d9"))


@pytest.mark.parametrize(
    ("quote", "evidence", "stands"),
    [
        ("C=1.0", ("d2", "d1"), True),
        ("svm.SVC", ("d1",), True),
        ("C=1.0", ("d2", "d9"), False),
        ("", (), True),
        ("C=1.0", (), False),
    ],
)
def test_a_quote_stands_in_text_or_title_of_the_evidence(
    quote: str, evidence: tuple[str, ...], stands: bool
) -> None:
    assert KNOWN.stands(quote, evidence) is stands


def test_ids_of_two_kinds_and_shares_of_groups() -> None:
    given = rows(
        question("a", group="g"),
        question("b", group="g"),
        question("c", group="h"),
        question("c2", group="i"),
        pairs=[pair("a"), pair("d1")],
        documents=[document("d1"), document("c")],
    )
    between = Between.of(given)
    assert between.shared == {"a", "c", "d1"}
    assert between.shares == {"g": 0.5, "h": 0.25, "i": 0.25}


PAIR = pair("p", chosen="No.", rejected="Because.", prompt=(Message("user", "why  IS it?"),))


@pytest.mark.parametrize(
    ("row", "agrees"),
    [
        (PAIR, False),
        (replace(PAIR, rejected=" Because.\n"), False),
        (replace(PAIR, chosen="Because.", rejected="No."), True),
        (replace(PAIR, prompt=(Message("user", "Why is that?"),)), True),
        (replace(PAIR, prompt=(Message("user", "Ah."), Message("assistant", "So."), *PAIR.prompt)), True),
        (replace(PAIR, withheld=("d1",)), True),
        (replace(PAIR, held_out="own questions"), True),
        (replace(PAIR, prompt=()), True),
    ],
)
def test_a_preference_disagrees_where_it_rejects_the_answer_to_the_same_prompt(
    row: Preference, agrees: bool
) -> None:
    examples = [question("q", "Why is it?"), question("none", messages=())]
    assert Between.of(rows(*examples, pairs=[row])).agrees(row) is agrees

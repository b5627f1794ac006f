"""Protects what tables say of each other: evidence, shared ids, groups and answers that contradict."""

from dataclasses import replace

import pytest

from deploy.messages import Message
from tasks.machine.executors import InProcess
from tasks.prepare.validate.between import between
from tasks.prepare.validate.frames import frames
from tasks.prepare.validate.tables import InMemory
from tasks.rows.records import Preference
from tests.tasks.rows.made import document, pair, question, rows

DOCUMENTS = [document("d1", "C=1.0 :", title="svm.SVC"), document("d2", "Other.")]


def test_documents_are_known_by_their_ids() -> None:
    asked = [question(f"q{n}", evidence=ids) for n, ids in enumerate([(), ("d1", "d2", "d1"), ("d1", "d9")])]
    hidden = [pair(f"p{n}", withheld=ids) for n, ids in enumerate([("d9",), ("d2",)])]
    found = between(InMemory(rows(*asked, pairs=hidden, documents=DOCUMENTS)))
    assert found["example"]["evidence_known"].tolist() == [True, True, False]
    assert found["preference"]["withheld_known"].tolist() == [False, True]


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
    given = rows(question("q", evidence=evidence, quote=quote), documents=DOCUMENTS)
    assert between(InMemory(given))["example"]["quote_stands"].tolist() == [stands]


def test_of_two_documents_with_one_id_the_last_is_read() -> None:
    twice = [document("d", "old"), document("d", "new")]
    asked = [question(said, evidence=("d",), quote=said) for said in ("old", "new")]
    found = between(InMemory(rows(*asked, documents=twice)))
    assert found["example"]["quote_stands"].tolist() == [False, True]


def test_ids_of_two_kinds_and_shares_of_groups() -> None:
    given = rows(
        question("a", group="g"),
        question("b", group="g"),
        question("c", group="h"),
        question("c2", group="i"),
        pairs=[pair("a"), pair("d1")],
        documents=[document("d1"), document("c")],
    )
    found = between(InMemory(given))
    assert found["example"]["id_apart"].tolist() == [False, True, False, True]
    assert found["preference"]["id_apart"].tolist() == [False, False]
    assert found["document"]["id_apart"].tolist() == [False, False]
    assert found["example"]["group_share"].tolist() == [0.5, 0.5, 0.25, 0.25]


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
    answer = Message("assistant", "Because.")
    examples = [
        question("q", "Why is it?"),
        question("none", messages=()),
        question("bare", messages=(answer,)),
    ]
    given = rows(*examples, pairs=[row])
    assert frames(InMemory(given), InProcess())["preference"]["agrees"].tolist() == [agrees]

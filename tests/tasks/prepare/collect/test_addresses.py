"""Protects the way from a question to its document: by an address, it outlives a change of the text."""

from collections.abc import Sequence

from tasks.prepare.collect.addresses import Addresses, address, by_id
from tasks.rows.arrow import arrow_of
from tasks.rows.records import Document, Example, Preference
from tests.tasks.rows.made import document, pair, question

DOCUMENTS = (
    document("1f", uri="py:numpy.linalg.norm@2.4.6"),
    document("2f", uri="file:sources/manual/a@home.md"),
    document("p/1", uri="file:sources/pages.jsonl#p/1"),
)


def found(
    kind: type[Example | Preference], rows: Sequence[Example | Preference], documents: Sequence[Document]
) -> list[list[str]]:
    """The evidence of rows once it is told by ids."""
    addresses = Addresses([([each.id for each in documents], [each.uri for each in documents])])
    told: list[list[str]] = by_id(arrow_of(kind, rows), addresses)["evidence"].to_pylist()
    return told


def test_an_address_has_no_version() -> None:
    assert [address(each) for each in DOCUMENTS] == [
        "py:numpy.linalg.norm",
        "file:sources/manual/a@home.md",
        "file:sources/pages.jsonl#p/1",
    ]


def test_evidence_is_found_by_address_and_by_id() -> None:
    asked = [
        question("a", evidence=("py:numpy.linalg.norm", "p/1")),
        question("b", evidence=("file:sources/manual/a@home.md", "unknown")),
        question("c"),
    ]
    pairs = [pair("d", evidence=("py:numpy.linalg.norm",))]
    assert found(Example, asked, DOCUMENTS) == [["1f", "p/1"], ["2f", "unknown"], []]
    assert found(Preference, pairs, DOCUMENTS) == [["1f"]]


def test_an_id_comes_before_an_address_and_the_first_of_two_documents_counts() -> None:
    documents = (
        document("1", uri="file:a"),
        document("2", uri="file:a"),
        document("file:b"),
        document("3", uri="file:b"),
    )
    asked = question("a", evidence=("file:a", "file:b"))
    assert found(Example, [asked], documents) == [["1", "file:b"]]

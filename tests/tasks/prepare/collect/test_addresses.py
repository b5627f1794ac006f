"""Protects the way from a question to its document: by an address, it outlives a change of the text."""

from tasks.prepare.collect.addresses import address, by_id
from tests.tasks.rows.made import document, pair, question, rows

DOCUMENTS = (
    document("1f", uri="py:numpy.linalg.norm@2.4.6"),
    document("2f", uri="file:sources/manual/a@home.md"),
    document("p/1", uri="file:sources/pages.jsonl#p/1"),
)


def test_an_address_has_no_version() -> None:
    assert [address(each) for each in DOCUMENTS] == [
        "py:numpy.linalg.norm",
        "file:sources/manual/a@home.md",
        "file:sources/pages.jsonl#p/1",
    ]


def test_evidence_is_found_by_address_and_by_id() -> None:
    found = by_id(
        rows(
            question("a", evidence=("py:numpy.linalg.norm", "p/1")),
            question("b", evidence=("file:sources/manual/a@home.md", "unknown")),
            question("c"),
            pairs=[pair("d", evidence=("py:numpy.linalg.norm",))],
            documents=DOCUMENTS,
        )
    )
    assert [row.evidence for row in found.asked] == [("1f", "p/1"), ("2f", "unknown"), (), ("1f",)]
    assert found.documents == DOCUMENTS


def test_an_id_comes_before_an_address_and_the_first_of_two_documents_counts() -> None:
    documents = (
        document("1", uri="file:a"),
        document("2", uri="file:a"),
        document("file:b"),
        document("3", uri="file:b"),
    )
    found = by_id(rows(question("a", evidence=("file:a", "file:b")), documents=documents))
    assert found.examples[0].evidence == ("1", "file:b")

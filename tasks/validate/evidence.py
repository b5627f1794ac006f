"""Whether documents say what the rows that cite them claim."""

from collections.abc import Mapping, Sequence

from tasks.records import Document


def known(ids: Sequence[str], documents: Mapping[str, Document]) -> bool:
    """Whether each of `ids` is that of a document."""
    return all(name in documents for name in ids)


def stands(quote: str, evidence: Sequence[str], documents: Mapping[str, Document]) -> bool:
    """Whether `quote` stands literally in a document of the evidence; an empty quote stands anywhere."""
    if not quote:
        return True
    found = (documents[name] for name in evidence if name in documents)
    return any(quote in document.text or quote in document.title for document in found)

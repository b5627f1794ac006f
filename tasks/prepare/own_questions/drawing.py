"""Which documents people are to ask about."""

from collections import Counter
from collections.abc import Callable, Sequence

from tasks.prepare.collect.identifiers import rank
from tasks.rows.records import Document


def draw_documents(documents: Sequence[Document], count: int, *, seed: int) -> list[Document]:
    """`count` of the documents (or all, if fewer), evenly over sources, and over titles in each.

    Equal documents and seed give the same draw, and a larger one begins with the smaller.
    """
    drawn = sorted(documents, key=lambda document: rank(seed, document.id))
    drawn = _spread(drawn, lambda document: (document.source, document.title))
    return _spread(drawn, lambda document: document.source)[:count]


def _spread(documents: Sequence[Document], key: Callable[[Document], object]) -> list[Document]:
    """First one document of each key, then a second of each, and so on, otherwise in their order."""
    seen: Counter[object] = Counter()
    turns: list[int] = []
    for document in documents:
        turns.append(seen[key(document)])
        seen[key(document)] += 1
    return [documents[place] for place in sorted(range(len(documents)), key=turns.__getitem__)]

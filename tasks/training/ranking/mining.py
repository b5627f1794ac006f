"""Questions with the passages that the search itself ranks first: one that answers, and hard negatives.

A passage that looks right and is not teaches most (Xiong et al. 2021, arXiv:2007.00808), and those that the
fusion puts first are the very ones that a reranker is asked about.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from deploy.knowledge.hits import Hit
from deploy.knowledge.reranker import asked
from deploy.knowledge.store import KnowledgeStore
from deploy.messages import last_question, said_before
from tasks.rows.grounding import answers
from tasks.rows.records import Example

NOT_FOUND = "no passage that answers it among the candidates"
NOTHING_ELSE = "nothing but its answer among the candidates"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mined:
    """A question, as the search asks it, with the hits of the fusion and which of them answer it."""

    row: Example
    query: str
    before: str
    hits: tuple[Hit, ...]
    right: tuple[bool, ...]

    @property
    def question(self) -> str:
        """The question as a reranker reads it."""
        return asked(self.query, self.before)

    @property
    def hindrance(self) -> str:
        """Why nothing can be learned from it; empty: it can."""
        if not any(self.right):
            return NOT_FOUND
        return NOTHING_ELSE if all(self.right) else ""


def mine(rows: Sequence[Example], store: KnowledgeStore) -> list[Mined]:
    """Each of `rows` with what `store` finds for it, documents that it withholds left out.

    `store` has no reranker, and gives as many hits as one is to put in order.
    """
    queries = [last_question(row.prompt) for row in rows]
    said = [said_before(row.prompt) for row in rows]
    found = store.search(queries, before=said, exclude=[row.withheld for row in rows])
    return [
        Mined(
            row=row,
            query=query,
            before=kept,
            hits=tuple(hits),
            right=tuple(answers(row, hit.document, hit.text) for hit in hits),
        )
        for row, query, kept, hits in zip(rows, queries, store.still_asked(said, queries), found, strict=True)
    ]


def teaching(mined: Sequence[Mined]) -> tuple[list[Mined], dict[str, int]]:
    """The questions that teach something, and why how many others do not."""
    lost = Counter(each.hindrance for each in mined if each.hindrance)
    return [each for each in mined if not each.hindrance], dict(lost)

"""What is known of all tables together when a row of one of them is judged."""

from collections import Counter, defaultdict
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass

from tasks.rows.held_out import own_name
from tasks.rows.identity import prompt_key
from tasks.rows.records import Document, Example, Preference, Rows


@dataclass(frozen=True, slots=True, kw_only=True)
class Between:
    """What rows of one table say of those of another.

    `documents` are by their ids, `shared` are ids that rows of two kinds have, `shares` says which share of
    the examples a group has, and `answers` which good answers examples give to the prompts of preferences.
    """

    documents: Mapping[str, Document]
    shared: frozenset[str]
    shares: Mapping[str, float]
    answers: Mapping[Hashable, frozenset[str]]

    @classmethod
    def of(cls, rows: Rows) -> "Between":
        """What these rows know of each other."""
        examples, preferences, documents = ({row.id for row in part} for part in rows.by_kind().values())
        groups = Counter(row.group for row in rows.examples)
        return cls(
            documents={document.id: document for document in rows.documents},
            shared=frozenset(examples & preferences | examples & documents | preferences & documents),
            shares={group: count / len(rows.examples) for group, count in groups.items()},
            answers=_answers(rows),
        )

    def known(self, ids: Sequence[str]) -> bool:
        """Whether each of `ids` is that of a document."""
        return not ids or self.documents.keys() >= set(ids)

    def stands(self, quote: str, evidence: Sequence[str]) -> bool:
        """Whether `quote` stands literally in a document of the evidence; an empty one stands anywhere."""
        if not quote:
            return True
        for name in evidence:
            document = self.documents.get(name)
            if document and (quote in document.text or quote in document.title):
                return True
        return False

    def agrees(self, row: Preference) -> bool:
        """Whether no example gives the rejected answer as the good one to the same prompt."""
        return _words(row.rejected) not in self.answers.get(_asked(row), ())


def _answers(rows: Rows) -> dict[Hashable, frozenset[str]]:
    wanted = {_asked(row) for row in rows.preferences}
    # The whole key costs far more than the words of the last turn, which few examples share with a pair.
    near = {_words(turn.content.casefold()) for row in rows.preferences for turn in row.prompt[-1:]}
    found: defaultdict[Hashable, set[str]] = defaultdict(set)
    for row in rows.examples if wanted else ():
        if not any(_words(turn.content.casefold()) in near for turn in row.prompt[-1:]):
            continue
        if (asked := _asked(row)) in wanted:
            found[asked].add(_words(row.answer))
    return {asked: frozenset(answers) for asked, answers in found.items()}


def _asked(row: Example | Preference) -> Hashable:
    """What two rows share that ask the same, as `clean` has it for contradictions.

    Where a document is withheld another answer is right, and a test set of the user's own is right anyway.
    """
    return own_name(row), prompt_key(row.prompt), frozenset(row.withheld)


def _words(text: str) -> str:
    return " ".join(text.split())

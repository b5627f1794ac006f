"""Whether a test set of the user's own is whole: no question twice, none without its document."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from tasks.errors import SourceError
from tasks.rows.held_out import own_name
from tasks.rows.identity import prompt_key
from tasks.rows.keys import KeyMap, as_keys, codes, key_of, text_keys
from tasks.rows.records import Example

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_NAMED = 5  # faults that a message names


class OwnQuestions:
    """What is known of the questions of test sets: hashes, and which of them name documents."""

    def __init__(self) -> None:
        self._asked, self._answers = bytearray(), bytearray()
        self._places: list[int] = []

    def add(self, row: Example, place: int) -> None:
        """Take note of a question, whose place among the examples is told."""
        self._asked += key_of(own_name(row), prompt_key(row.prompt))
        self._answers += key_of(row.answer.strip())
        self._places.append(place)

    def doubts(self, names: "Callable[[Sequence[int]], Sequence[str]]") -> list[str]:
        """A sentence for each question that stands there twice; `names` are the ids at some places.

        Raises:
            SourceError: one stands there with two answers, so that no model could be right.
        """
        import numpy as np

        asked = codes(as_keys(self._asked))
        answers = codes(as_keys(self._answers))
        several = np.flatnonzero(np.bincount(asked)[asked] > 1)
        order = several[np.argsort(asked[several], kind="stable")]
        parts = np.split(order, np.flatnonzero(np.diff(asked[order])) + 1)
        twice = sorted((part for part in parts if len(part) > 1), key=lambda part: int(part[0]))

        def ids(part: "NDArray[np.int64]") -> str:
            return " and ".join(names([self._places[at] for at in part.tolist()]))

        torn = [part for part in twice if len(set(answers[part].tolist())) > 1]
        if torn:
            more = f", and {len(torn) - _NAMED} more" if len(torn) > _NAMED else ""
            told = "; ".join(map(ids, torn[:_NAMED]))
            raise SourceError(
                f"these held-out questions stand there with two answers: {told}{more}; "
                "leave the right one (threeply test-set check FILE names the lines)"
            )
        return [
            f"the held-out question of {ids(part)} stands there {len(part)} times; clean keeps the first"
            for part in twice
        ]


def lost_evidence(row: Example, documents: KeyMap) -> list[str]:
    """A sentence for each document that a question names and that is not there."""
    there = documents.holds(text_keys(row.evidence))
    return [
        f"the held-out question {row.id} names the document {name}, which is not there; clean drops it"
        for name, known in zip(row.evidence, there.tolist(), strict=True)
        if not known
    ]

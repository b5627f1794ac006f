"""Whether a test set of the user's own is whole: no question twice, none without its document."""

from collections import defaultdict
from collections.abc import Iterable

from tasks.errors import SourceError
from tasks.rows.held_out import own_name
from tasks.rows.identity import PromptKey, prompt_key
from tasks.rows.records import Example, Rows

_NAMED = 5  # faults that a message names


def check_own(rows: Rows) -> list[str]:
    """A sentence for each question of a test set that `clean` will drop.

    Raises:
        SourceError: one stands there with two answers, so that no model could be right.
    """
    asked: defaultdict[tuple[str, PromptKey], list[Example]] = defaultdict(list)
    for row in rows.examples:
        if name := own_name(row):
            asked[name, prompt_key(row.prompt)].append(row)
    twice = [alike for alike in asked.values() if len(alike) > 1]
    torn = [_ids(alike) for alike in twice if len({row.answer.strip() for row in alike}) > 1]
    if torn:
        more = f", and {len(torn) - _NAMED} more" if len(torn) > _NAMED else ""
        raise SourceError(
            f"these held-out questions stand there with two answers: {'; '.join(torn[:_NAMED])}{more}; "
            "leave the right one (threeply test-set check FILE names the lines)"
        )
    documents = {document.id for document in rows.documents}
    return [
        *(
            f"the held-out question of {_ids(alike)} stands there {len(alike)} times; clean keeps the first"
            for alike in twice
        ),
        *(
            f"the held-out question {row.id} names the document {name}, which is not there; clean drops it"
            for row in rows.examples
            for name in row.evidence
            if own_name(row) and name not in documents
        ),
    ]


def _ids(alike: Iterable[Example]) -> str:
    return " and ".join(row.id for row in alike)

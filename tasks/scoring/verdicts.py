"""Scores of answers that say yes or no: the verdict counts, and every value that it rests on."""

import re

from tasks.scoring.values import literals, same_value

_YES = re.compile(
    r"^\W*(?:yes|yeah|yep|correct|right|true|indeed|that is (?:right|correct|true)"
    r"|it (?:does|has)(?! not|n't))\b",
    re.IGNORECASE,
)
_NO = re.compile(
    r"^\W*(?:no|nope|wrong|false|incorrect|not|it (?:does|is|has)(?: not|n't)|they (?:do|are) not)\b",
    re.IGNORECASE,
)


def same_verdict(question: str, gold: str, text: str) -> float:  # noqa: ARG001  (all scorers are called alike)
    """1 if `text` begins with the yes or the no that `gold` begins with, else 0."""
    said = verdict_of(text)
    return float(said is not None and said == verdict_of(gold))


def same_verdict_and_values(question: str, gold: str, text: str) -> float:
    """1 if besides the verdict every value that `gold` states is stated, and no other in backticks; else 0.

    A value that is merely repeated from the question is no other.
    """
    if not same_verdict(question, gold, text):
        return 0.0
    wanted, said = literals(gold), literals(text)
    repeated = literals(question)
    missing = [value for value in wanted if not any(same_value(value, other) for other in said)]
    known = [*wanted, *repeated]
    strange = [value for value in said if not any(same_value(value, other) for other in known)]
    return float(not missing and not strange)


def verdict_of(text: str) -> bool | None:
    """Whether an answer says yes; None where its beginning says neither."""
    if _YES.match(text):
        return True
    return False if _NO.match(text) else None

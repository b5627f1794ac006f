"""Scores of answers with a verdict, yes or no, the same or not: it counts, and the values it rests on."""

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
_CONCLUDES = re.compile(r"(?:\bso|[,:;\u2013-])\s+(yes|no)(?:\W|\[\d+\])*$", re.IGNORECASE)
_ASKS_WHETHER_THEY_DIFFER = re.compile(r"\bdiffer(?:s|ent|ence|ences)?\b", re.IGNORECASE)
_DIFFER = re.compile(
    r"\b(?:differ(?:s|ent|ently)?"
    r"|(?:not|n't|never) (?:be |use |have )?(?:the )?(?:same|equal|identical|alike))\b",
    re.IGNORECASE,
)
_NOT_DIFFER = re.compile(r"(?:\bnot|n't) (?:be )?differ(?:ent)?\b", re.IGNORECASE)
_ALIKE = re.compile(r"\b(?:same|both|equal|identical|alike)\b", re.IGNORECASE)
_SPAN = re.compile(r"`[^`]*`")


def same_verdict(question: str, gold: str, text: str) -> float:  # noqa: ARG001  (all scorers are called alike)
    """1 if `text` says the yes or the no that `gold` says, else 0."""
    said = verdict_of(text)
    return float(said is not None and said == verdict_of(gold))


def same_verdict_and_values(question: str, gold: str, text: str) -> float:
    """1 if besides the verdict every value that `gold` states is stated, and no other in backticks; else 0.

    A value that is merely repeated from the question is no other.
    """
    return same_verdict(question, gold, text) and _same_values(question, gold, text)


def same_comparison(question: str, gold: str, text: str) -> float:
    """1 if `text` states the values of `gold`, no others, and says rightly whether they are the same."""
    said = alike(question, text)
    right = said is not None and said == alike(question, gold)
    return _same_values(question, gold, text) if right else 0.0


def verdict_of(text: str) -> bool | None:
    """Whether an answer says yes, at its beginning or as what it comes to; None where it says neither."""
    if _YES.match(text):
        return True
    if _NO.match(text):
        return False
    end = _CONCLUDES.search(text)
    return end.group(1).lower() == "yes" if end else None


def alike(question: str, text: str) -> bool | None:
    """Whether an answer says that two things are the same; None where it does not tell.

    A bare yes or no is the answer to what was asked: whether they are the same or whether they differ.
    """
    words = _SPAN.sub(" ", text)  # `'same'` is a value
    if _NOT_DIFFER.search(words):
        return True
    if _DIFFER.search(words):
        return False
    if _ALIKE.search(words):
        return True
    said = verdict_of(text)
    return said if said is None or not _ASKS_WHETHER_THEY_DIFFER.search(question) else not said


def _same_values(question: str, gold: str, text: str) -> float:
    wanted, said = literals(gold), literals(text)
    missing = [value for value in wanted if not any(same_value(value, other) for other in said)]
    known = [*wanted, *literals(question)]
    strange = [value for value in said if not any(same_value(value, other) for other in known)]
    return float(not missing and not strange)

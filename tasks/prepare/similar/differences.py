"""What tells two texts apart although most of their words are the same: numbers, names, code, a `not`.

`Delete the files of Anna` and `Delete the files of Bert` share most of their words, and are two questions. So
what a difference is in counts more than how large it is.
"""

import re
from collections.abc import Iterator

from tasks.rows.literal import STOP_WORDS

_CODE = re.compile(r"(`+[^`]+`+)")
_TOKEN = re.compile(r"(?<![./:\\-])[./:\\-]*\w+(?:['\u2019./:\\-]+\w+)*|[^\w\s]")
_SENTENCE_ENDS = frozenset(".!?:")
_PUNCTUATION = frozenset(".,;:!?'\"()[]`\u2018\u2019\u201c\u201d\u2026\u2013\u2014")
# A figure, signs inside a word, a capital behind a small letter: x86-64, np.sum, n_jobs, DataFrame.
_NAME = re.compile(r"[\d_./:\\-]|[a-z][A-Z]")
_NEGATIONS = frozenset({
    "no", "not", "never", "none", "nor", "neither", "nothing", "nobody", "nowhere", "cannot", "without",
    "unless", "except", "dont", "doesnt", "didnt", "isnt", "arent", "wasnt", "werent", "wont", "cant",
    "wouldnt", "couldnt", "shouldnt", "hasnt", "havent", "hadnt",
})  # fmt: skip
_SHORTENED_NOT = re.compile(r".+n['\u2019]t")


def told_apart(one: str, other: str, *, negations: bool = True) -> bool:
    """Whether two texts differ in a number, a name, code, an operator or a negation, or in their order.

    With `negations` false, one that is put in or left out is a word like others.
    """
    said, told = list(_tokens(one)), list(_tokens(other))
    marks = {token for token, marked in (*said, *told) if marked}
    if not negations:
        marks = {token for token in marks if not _negates(token)}
    return [token for token, _ in said if token in marks] != [token for token, _ in told if token in marks]


def wording(text: str) -> tuple[str, ...]:
    """The words of a text in order, and the signs that are more than punctuation, whatever the case.

    In code every sign counts, and the case does. Empty where a text has nothing but punctuation.
    """
    return tuple(token for token, marked in _tokens(text) if marked or token not in _PUNCTUATION)


def _tokens(text: str) -> Iterator[tuple[str, bool]]:
    """The words and signs of a text, and whether each tells it apart; outside code the case is no matter."""
    begins = True  # the first word of a sentence has its capital for that alone
    for part in _CODE.split(text):
        code = part.startswith("`")
        for token in _TOKEN.findall(part.strip("`") if code else part):
            if code:
                yield token, True
            elif token.isascii() and token.isalpha() and token.islower():  # as most are
                yield token, token in _NEGATIONS
            else:
                plain = token.casefold()
                named = len(token) > 1 and token[0].isupper() and not begins and plain not in STOP_WORDS
                yield plain, named or _marked(token)
            begins = not code and token in _SENTENCE_ENDS


def _marked(token: str) -> bool:
    """Whether a token outside code is a number, an operator, a negation, or a name by how it is written."""
    if len(token) == 1 and not token.isalnum():
        return token not in _PUNCTUATION
    return _negates(token.casefold()) or bool(_NAME.search(token))


def _negates(word: str) -> bool:
    return word in _NEGATIONS or bool(_SHORTENED_NOT.fullmatch(word))

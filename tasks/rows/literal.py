"""How much of a question stands literally in a text: what a test set flatters retrieval by.

A question that was made from a document repeats its words, and a search by words finds it for that alone;
people ask in words of their own. Both measures are between 0 and 1 and compare words as they are written, but
for case: `kept` is not `keep`.
"""

import re
import unicodedata

_APOSTROPHES = re.compile(r"['\u2019]")
_WORD = re.compile(r"[^\W_]+")
# Bytes of ASCII in small letters, and a blank for each that stands in no word.
_AS_WORDS = bytes(ord(chr(byte).lower()) if chr(byte).isalnum() else 32 for byte in range(128)) + bytes(128)
# English words that build questions, whatever they are about; without apostrophes, as `words` gives them.
STOP_WORDS = frozenset(
    _WORD.findall(
        "a about after all also am an and any are as at be because been before being but by can cannot cant "
        "could did didnt do does doesnt doing dont during each else for from get give given had has have "
        "having he her here hers him his how i if im in into is isnt it its itself ive just lets like "
        "many may me might mine more most much must my need no nor not of off on one only or other our out "
        "over own per please same she should shouldnt so some such tell than that thats the their them then "
        "there theres these they this those through to too under up us use used uses using very want was way "
        "we were what whats when where which while who whom whose why will with within without wont would yes"
        " you your yours"
    )
)


def words(text: str) -> list[str]:
    """The words of a text in order, without case and signs; names give their parts: `n_jobs` is two words."""
    if text.isascii():  # most texts are, and take a third of the time so
        return text.encode().translate(_AS_WORDS, b"'").decode().split()
    return _WORD.findall(plain(text))


def plain(text: str) -> str:
    """A text as `words` reads it: of equal characters one spelling, without case and apostrophes."""
    if text.isascii():
        return text.lower().replace("'", "")
    return _APOSTROPHES.sub("", unicodedata.normalize("NFKC", text).casefold())


def literalness(question: str, document: str) -> float:
    """The share of the question's content words that stand in the document; 0.0 where it has none.

    Each word counts once, and English stop words (`what`, `the`, `does`...) count for nothing. 1.0: whoever
    asked has copied; people who do not know the document use fewer of its words.
    """
    content = set(words(question)) - STOP_WORDS
    return len(content & set(words(document))) / len(content) if content else 0.0


def longest_run(question: str, document: str) -> float:
    """The share of the question's words that stand in the document in one run, in their order; 0.0 to 1.0.

    Stop words count here: it is the copied stretch that is looked for.
    """
    asked = words(question)
    text = f" {' '.join(words(document))} "
    longest = 0
    for start in range(len(asked)):
        # Only a run that would be longer is of interest, so that each end is looked at once.
        while start + longest < len(asked) and f" {' '.join(asked[start : start + longest + 1])} " in text:
            longest += 1
    return longest / len(asked) if asked else 0.0

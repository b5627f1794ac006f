"""What a parameter is, for those who do not know its name: `the number of trees`, not `n_estimators`."""

import re
from collections import Counter
from collections.abc import Iterable

from tasks.prepare.collect.documentation.docstrings import without_asides

_LONGEST = 8  # words; who says more has read the documentation
_LEADING = re.compile(
    r"(?:absolute|array|axe?i?s|character|data[ -]type|degrees?|desired|estimate|fraction|index"
    r"|initial|kernel|label|length|level|list|lower|magnitude|max(?:imum|imal)?|method"
    r"|min(?:imum|imal)?|mode|names?|norm|number|order|percentage|precision|probability"
    r"|proportion|radius|random|relative|sample weights?|sampling|seed|separator|shape|size"
    r"|spacing|starting|step|strategy|string|threshold|time|tolerance|total|type|upper|value"
    r"|weights?|width|window)\b",
    re.I,
)
_ARTICLE = re.compile(r"^(?:the|an?) ", re.I)
_BEHIND = re.compile(
    r"[,;:.]|\s(?:if|when|where|which|that|whose|used|such|so|to be|as in|default|e\.g|i\.e)\b.*", re.I
)
_DANGLING = re.compile(r"(?: (?:along|at|by|for|in|into|of|on|one|over|required|to|with))+$", re.I)
_VERB = re.compile(
    r"\b(?:is|are|was|will|must|can|may|should|has|have|does|do|specifies|determines|controls)\b", re.I
)


def things(sentences: Iterable[str]) -> list[str]:
    """For each first sentence of a parameter's description what it says that the parameter is.

    `The number of trees in the forest.` gives `number of trees in the forest`. Empty where a sentence does
    not begin with a thing, or where two of the parameters are the same one.
    """
    found = [_thing(sentence) for sentence in sentences]
    counts = Counter(found)
    return [thing if counts[thing] == 1 else "" for thing in found]


def counted(thing: str) -> str:
    """What a thing is the number of; empty where it is none."""
    match = re.match(r"(?:total )?number of (?!.*\bor\b)(\w.*)", thing, re.I)
    return match[1] if match else ""


def _thing(sentence: str) -> str:
    text = without_asides(sentence).strip()
    bare = _ARTICLE.sub("", text)
    if bare == text and not _LEADING.match(text):
        return ""
    bare = _DANGLING.sub("", _BEHIND.split(bare, maxsplit=1)[0].strip())
    if not 2 <= len(bare.split()) <= _LONGEST or _VERB.search(bare) or re.search(r"[`'\"*_=\\<>]", bare):
        return ""
    return bare[:1].lower() + bare[1:] if bare[1:2].islower() else bare

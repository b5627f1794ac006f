"""Whether an answer is right, without a judge model: pure functions over strings.

An answer that says that it does not know is right only where that is accepted. Else it is right as soon as it
meets one alternative, unless it begins or ends with the opposite of the yes or no that is asked for.
"""

import ast
import re
from collections.abc import Iterable, Sequence

from benchmarks.own_words.questions import Question
from deploy.abstention import abstains
from tasks.scoring.values import same_value, stated_value

TALK_WORDS = 40  # a longer answer to "hi" is no small talk

_ALIASES = {"np": "numpy", "pd": "pandas", "sp": "scipy", "sk": "sklearn"}
_PACKAGES = frozenset({"numpy", "scipy", "sklearn", "pandas"})
_MARK = re.compile(r"(?<![\w)\]])\[\d+\]")  # a citation, and no index as in `x[0]`
_SPAN = re.compile(r"`+([^`]+)`+")
_DOTTED = re.compile(r"(?<![\w.])[A-Za-z_]\w+(?:\.[A-Za-z_]\w*)+")
_BESIDE = re.compile(r"\s*(?:,|/|,?\s*(?:or|and))\s*`+([^`]+)`+")
_NOT_BEFORE = re.compile(r"\b(?:unlike|not|instead of|rather than|than)\s+(?:an?\s+|the\s+)?[`'\"]*$", re.I)
_NOT_BEHIND = re.compile(
    r"[`'\"()]*\s+(?:(?:does|do|is|can|has) ?n[o']t|cannot|can't|has no|lacks|have no)\b", re.I
)
_BEGINS_YES = re.compile(
    r"\W*(?:(?:yes|yep|yeah|yup)\b|(?:correct|right|sure|of course)\s*[,.!:]"
    r"|(?:it does|it can|you can)\b(?! ?n[o']t))",
    re.I,
)
_BEGINS_NO = re.compile(
    r"\W*(?:(?:no|nope)\b(?! idea| information)|(?:it does|it is|it can|you can) ?n[o']t\b)", re.I
)
_CONCLUDES = re.compile(r"(?:\bso|[,:;\u2013-])\s+(yes|no|the same|they differ)\W*$", re.I)
_SAYS_YES = re.compile(
    r"\b(?:has|accepts|takes|supports|offers|includes)\s+(?:an?|the|this|such|that|it)\b"
    r"|\bis (?:an?|one of the) (?:\w+ )?(?:parameter|argument|keyword|option)s?\b",
    re.I,
)
_SAYS_NO = re.compile(
    r"\b(?:does|do|can)(?: not|n't|not) (?:have|accept|take|support|offer|include|list|provide|use|share)\b"
    r"|\b(?:has|have|is|are|accepts|takes|there's) no\b|\bno such\b"
    r"|\b(?:is|are)(?: not|n't) (?:an?|one|any|among|in|the same|equal|identical)\b|\bdiffer(?:s|ent)?\b",
    re.I,
)


def right(question: Question, text: str) -> bool:
    """Whether `text` answers `question`."""
    said = _MARK.sub("", text).replace("\u2019", "'").strip()
    accept = question.accept
    if not said:
        return False
    if abstains(said):
        return any(one.abstains for one in accept)
    if says_opposite(said, yes=any(one.yes for one in accept), no=any(one.no for one in accept)):
        return False
    values = [one.value for one in accept if one.value is not None]
    names = [one.name for one in accept if one.name is not None]
    return (
        (bool(values) and states_value(question, said, values))
        or (bool(names) and names_one(question, said, names))
        or any(one.yes and says_yes(said) for one in accept)
        or any(one.no and says_no(said) for one in accept)
        or any(
            (one.all is not None or one.any is not None) and has_phrases(said, one.all or (), one.any)
            for one in accept
        )
        or any(one.talk is not None and talks(said, one.talk) for one in accept)
    )


def says_yes(text: str) -> bool:
    """Whether `text` begins or ends with a yes, or its first sentence says plainly that it is there."""
    first = _first_sentence(text)
    if _BEGINS_NO.match(text) or _SAYS_NO.search(first) or _concludes(text) == "no":
        return False
    return bool(_BEGINS_YES.match(text) or _concludes(text) == "yes" or _SAYS_YES.search(first))


def says_no(text: str) -> bool:
    """Whether `text` begins or ends with a no, or its first sentence says plainly that it is not there."""
    if _BEGINS_YES.match(text) or _concludes(text) == "yes":
        return False
    return bool(_BEGINS_NO.match(text) or _concludes(text) == "no" or _SAYS_NO.search(_first_sentence(text)))


def says_opposite(text: str, *, yes: bool, no: bool) -> bool:
    """Whether `text` begins or ends with a no where only yes is accepted, or with a yes where only no is."""
    end = _concludes(text)
    says_no, says_yes = _BEGINS_NO.match(text) or end == "no", _BEGINS_YES.match(text) or end == "yes"
    return bool((yes and not no and says_no) or (no and not yes and says_yes))


def states_value(question: Question, text: str, accepted: Sequence[str]) -> bool:
    """Whether the first value that `text` states, and any other set beside it, is an accepted one.

    Names that the question is about are no values; `name=value` in backticks states the value. A string may
    stand without quotes.
    """
    if question.parameter:
        text = re.sub(rf"(`+){re.escape(question.parameter)}\s*=\s*([^`]+)(`+)", r"\1\2\3", text)
    known = [span for span in _SPAN.findall(text) if _is_known(question, span)]
    asked = " ".join([question.asked, *(f"`{span}`" for span in known)])
    stated = stated_value(text, asked)
    if _same(stated, accepted):
        beside = _beside(text, stated)
        return beside is None or _is_known(question, beside) or _same(beside, accepted)
    if any(span not in known for span in _SPAN.findall(text)):
        return False
    plain = _SPAN.sub(" ", text)
    literals = (_literal(value) for value in accepted)
    bare = [str(one) for one in literals if isinstance(one, str | tuple)]
    if stated != plain.strip().rstrip("."):  # another literal, unless it is a part of a tuple
        bare = [one for one in bare if one.startswith("(")]
    return any(_affirmed(one, plain) for one in bare)


def names_one(question: Question, text: str, accepted: Sequence[str]) -> bool:
    """Whether the first callable that `text` recommends is an accepted one; the last part of it is enough.

    A name of another package is wrong, and so are both of two where one is asked for.
    """
    others = [name for name in question.about if not _is_name(name, accepted)]
    if others and re.search(r"\b(?:both|neither)\b", text, re.I):
        return False
    spans = [(match.start(), match.end(), match.group(1)) for match in _SPAN.finditer(text)]
    if not spans:
        spans = [(match.start(), match.end(), match.group()) for match in _DOTTED.finditer(text)]
    for start, end, span in spans:
        name = _bare(span)
        if not _could_be_callable(question, name, accepted) or _denied(text, start, end):
            continue
        beside = _BESIDE.match(text, end)
        return _is_name(name, accepted) and not (beside and _is_name(beside.group(1), others))
    return _first_in_prose(text, accepted, others)


def has_phrases(text: str, all_of: Iterable[str], any_of: Iterable[str] | None) -> bool:
    """Whether `text` has each phrase of `all_of` and, if there are any, one of `any_of`, as whole words."""
    plain = text.replace("`", "")
    return all(_has(phrase, plain) for phrase in all_of) and (
        any_of is None or any(_has(phrase, plain) for phrase in any_of)
    )


def talks(text: str, words: Iterable[str]) -> bool:
    """Whether `text` is short and has one of `words`."""
    return len(text.split()) <= TALK_WORDS and has_phrases(text, (), words)


def _concludes(text: str) -> str | None:
    """The yes or no that `text` ends with; that two things are the same is a yes where that was asked."""
    end = _CONCLUDES.search(text)
    return None if end is None else "yes" if end.group(1).lower() in ("yes", "the same") else "no"


def _first_sentence(text: str) -> str:
    return re.split(r"(?<=[.!?])\s", text, maxsplit=1)[0]


def _same(value: str, accepted: Iterable[str]) -> bool:
    return any(same_value(value, one) for one in accepted)


def _beside(text: str, stated: str) -> str | None:
    """The span that stands right behind `stated`, joined by a comma, a slash, or "or"."""
    for match in _SPAN.finditer(text):
        if match.group(1).strip() == stated:
            beside = _BESIDE.match(text, match.end())
            return beside.group(1) if beside else None
    return None


def _is_known(question: Question, span: str) -> bool:
    """Whether `span` is the parameter, or a name of a callable that the question is about."""
    return span == question.parameter or _is_name(span, question.about)


def _bare(span: str) -> str:
    """The name in a call: `norm` of `norm(x)`."""
    return span.split("(", maxsplit=1)[0].strip()


def _is_name(name: str, wanted: Iterable[str]) -> bool:
    parts = _bare(name).split(".")
    package = _ALIASES.get(parts[0], parts[0])
    return any(
        parts[-1] == full.rsplit(".", 1)[-1]
        and (len(parts) == 1 or package not in _PACKAGES or package == full.split(".", 1)[0])
        for full in wanted
    )


def _could_be_callable(question: Question, name: str, accepted: Sequence[str]) -> bool:
    """Whether `name` may be meant as the answer: no parameter, no literal and no module around the answer."""
    module = _ALIASES.get(name, name)
    return (
        name != question.parameter
        and re.fullmatch(r"[A-Za-z_][\w.]*", name) is not None
        and name not in {"None", "True", "False"}
        and not any(full.startswith(f"{module}.") for full in accepted)
    )


def _denied(text: str, start: int, end: int) -> bool:
    return bool(_NOT_BEFORE.search(text[:start]) or _NOT_BEHIND.match(text, end))


def _affirmed(word: str, text: str) -> bool:
    """Whether `word` stands in `text` as a whole, and not behind a "not"."""
    return any(not _NOT_BEFORE.search(text[: match.start()]) for match in _whole(word).finditer(text))


def _first_in_prose(text: str, accepted: Iterable[str], others: Iterable[str]) -> bool:
    found = [
        (match.start(), name in accepted)
        for names in (accepted, others)
        for name in names
        for match in _whole(name.rsplit(".", 1)[-1]).finditer(text)
        if not _denied(text, match.start(), match.end())
    ]
    return bool(found) and min(found)[1]


def _has(phrase: str, text: str) -> bool:
    return any(_whole(one).search(text) is not None for one in phrase.split("|"))


def _whole(phrase: str) -> re.Pattern[str]:
    """Finds `phrase` where it is no part of a longer word or number."""
    stem = phrase.removesuffix("*")
    words = r"\s+".join(re.escape(word) for word in stem.split())
    end = r"\w*" if phrase.endswith("*") else ""
    return re.compile(rf"(?<!\w)(?<!\d\.){words}{end}(?!\w)(?!\.\d)", re.I)


def _literal(value: str) -> object:
    try:
        return ast.literal_eval(value)
    except (ValueError, SyntaxError):
        return value

"""Text as the terms that BM25 counts: words, and names with all their parts."""

import re
from collections.abc import Container, Iterator, Sequence

from deploy.knowledge.definitions import defined_names

_NAME = re.compile(r"\w+(?:\.\w+)*")
_QUALIFIED = re.compile(r"\w+(?:\.\w+)+")
_QUOTED_NAME = re.compile(r"`\*{0,2}(\w+)`")
LONGEST_NAME = 5  # words that are tried as one name
_MOST_ENDINGS = 12  # of a dotted name: all of them would be text of quadratic length
_SHORTEST_JOINED = 5  # letters of it: `to do` is no name
# Words that build questions: some define parameters, too, but who means those writes `by` in backticks.
GRAMMAR = frozenset(
    re.split(
        r"\s+",
        "a an and are as at be by can do does for from how i if in is it its me my no not of on or so than "
        "that the there this to what when where which who why with without you your",
    )
)
_INNER_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|[^\W\d_A-Za-z]+")


def chunk_terms(text: str, *, title: str) -> list[str]:
    """The terms of a chunk: its words, its title once more, and `c :` for each line that defines `C`.

    The title weighs double, so that chunks of the document that a question names come before chunks that
    mention it; where it is a qualified name, its last part is a term of its own (`title_term`). A name that a
    line defines is one, too, so that the chunk on the parameter `C` comes before others that speak of `C`.
    """
    named = title_term(title.rpartition(".")[2]) if _QUALIFIED.fullmatch(title) else None
    defined = (definition_term(name) for name in defined_names(text))
    return [*terms(title), *terms(text), *defined, *([named] if named else ())]


def title_term(name: str) -> str:
    """The term of the chunks of a document whose title is a qualified name that ends in `name`."""
    return f"{name.lower()} ="  # no other term holds a blank


def query_terms(text: str, known: Container[str]) -> list[str]:
    """The terms of a question: its words, and what its words may name in an index that has the terms `known`.

    A word that some line defines asks for that line, one in backticks twice. Words beside each other are
    also tried as one name, for people say `sample weight` and `random forest classifier`.
    """
    quoted = {name.lower() for name in _QUOTED_NAME.findall(text)}
    found = terms(text)
    words = named_words(text)
    for word in words:
        asked = definition_term(word)
        if (asked in known and word not in GRAMMAR) or word in quoted:
            found += [asked] * (2 if word in quoted or "_" in word else 1)
    for joined in _joined(words):
        if joined in known:
            found.append(joined)
        if (asked := definition_term(joined)) in known:
            found.append(asked)
    return found


def named_words(text: str) -> list[str]:
    """The words of a text in order, lowercased; a dotted name is one."""
    return [match[0].lower() for match in _NAME.finditer(text)]


def _joined(words: Sequence[str]) -> Iterator[str]:
    """Neighbours as one name, in both ways that names are written: `sample_weight`, `kmeans`."""
    for count in range(2, LONGEST_NAME + 1):
        for start in range(len(words) - count + 1):
            part = words[start : start + count]
            if sum(map(len, part)) >= _SHORTEST_JOINED:
                yield from ("_".join(part), "".join(part))


def terms(text: str) -> list[str]:
    """The lowercased terms of `text`, in order.

    A dotted name gives itself, each of its endings and each of its parts: `sklearn.svm.SVC` gives
    `sklearn.svm.svc`, `sklearn`, `svm.svc`, `svm`, `svc`, so that it is found by its whole name, by
    `svm.SVC` and by `SVC`. One of more parts than names have gives its last endings alone. A part in camel
    case or with underscores also gives its words (`RandomForest`: `random`, `forest`; `n_jobs`: `jobs`).
    Single letters count where they stand alone (`C`), since they are names of parameters, but not as a piece
    of another name. There is no list of stop words: `a`, `by` and `how` are parameters, and BM25 gives common
    words little weight by itself.
    """
    found: list[str] = []
    for match in _NAME.finditer(text):
        parts = match[0].split(".")
        for position, part in enumerate(parts):
            if len(parts) - _MOST_ENDINGS <= position < len(parts) - 1:
                found.append(".".join(parts[position:]).lower())
            found.append(part.lower())
            inner = _INNER_WORD.findall(part)
            if len(inner) > 1:
                found += [word.lower() for word in inner if len(word) > 1]
    return found


def definition_term(name: str) -> str:
    """The term of the chunks with a line that defines `name`."""
    return f"{name.lower()} :"  # no other term holds a blank, or this sign

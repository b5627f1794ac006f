"""Text as the terms that BM25 counts: words, and names with all their parts."""

import re

from deploy.knowledge.definitions import defined_names

_NAME = re.compile(r"\w+(?:\.\w+)*")
_QUOTED_NAME = re.compile(r"`\*{0,2}(\w+)`")
_INNER_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|[^\W\d_A-Za-z]+")


def chunk_terms(text: str, *, title: str) -> list[str]:
    """The terms of a chunk: its words, its title once more, and `c :` for each line that defines `C`.

    The title weighs double, so that chunks of the document that a question names come before chunks that
    mention it. A name that a line defines is a term of its own, so that the chunk on the parameter `C`
    comes before the others that speak of `C`.
    """
    return [*terms(title), *terms(text), *(_definition(name) for name in defined_names(text))]


def query_terms(text: str) -> list[str]:
    """The terms of a question: its words, and for each name in backticks twice that it be defined."""
    asked = [_definition(name) for name in _QUOTED_NAME.findall(text)]
    return [*terms(text), *asked, *asked]


def terms(text: str) -> list[str]:
    """The lowercased terms of `text`, in order.

    A dotted name gives itself, each of its endings and each of its parts: `sklearn.svm.SVC` gives
    `sklearn.svm.svc`, `sklearn`, `svm.svc`, `svm`, `svc`, so that it is found by its whole name, by
    `svm.SVC` and by `SVC`. A part in camel case or with underscores also gives its words (`RandomForest`:
    `random`, `forest`; `n_jobs`: `jobs`). Single letters count where they stand alone (`C`), since they are
    names of parameters, but not as a piece of another name. There is no list of stop words: `a`, `by` and
    `how` are parameters, and BM25 gives common words little weight by itself.
    """
    found: list[str] = []
    for match in _NAME.finditer(text):
        parts = match[0].split(".")
        for position, part in enumerate(parts):
            if position < len(parts) - 1:
                found.append(".".join(parts[position:]).lower())
            found.append(part.lower())
            inner = _INNER_WORD.findall(part)
            if len(inner) > 1:
                found += [word.lower() for word in inner if len(word) > 1]
    return found


def _definition(name: str) -> str:
    return f"{name.lower()} :"  # no other term holds a blank

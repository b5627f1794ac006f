"""What can be asked about a callable and checked: defaults, purposes, what None means, and its summary."""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from typing import Literal

from tasks.prepare.collect.documentation.callables import PublicCallable
from tasks.prepare.collect.documentation.docstrings import Field, first_sentence, sentences
from tasks.prepare.collect.documentation.signatures import Argument
from tasks.prepare.collect.documentation.wording.things import things

FactKind = Literal["default", "purpose", "none", "lookup"]
# A head and the sentence behind it must lie in one chunk, or the quote would not stand beside its answer.
_LONGEST_HEAD_AND_SENTENCE = 40
_LONGEST_SENTENCE = 25
_SHORTEST_SENTENCE = 3
# A sentence and all before it in its paragraph must fit into one chunk, which says of whom it speaks.
_LONGEST_UP_TO_NONE = 30
_WITHOUT = re.compile(
    r"^(?:If|When)\b(?!.*\bnot `?None)[^,;]*"
    r"\b(?:None|omitted|unspecified|not (?:given|specified|provided|passed|set|supplied))\b"
)
_ABBREVIATION = re.compile(r"(?:\be\.g|\bi\.e|\bcf|\bsee|:|,|;|\()\.?$", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """Something that the documentation of `owner` says.

    `quote` stands literally in the paragraph that says it; a `lookup` has no parameter and no quote. `thing`
    is what the documentation says that the parameter is, where that names it among those of the callable.
    """

    kind: FactKind
    owner: PublicCallable
    parameter: str
    value: str
    quote: str
    thing: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Paragraph:
    """The paragraph of a document about one parameter: `head` as `C=1.0 : float`, then its description."""

    name: str
    default: str | None
    head: str
    mark: str
    description: str

    @property
    def text(self) -> str:
        """The whole paragraph."""
        return f"{self.head}\n{self.description}" if self.description else self.head


def paragraphs(entry: PublicCallable) -> list[Paragraph]:
    """A paragraph for each documented parameter, in the order of the docstring, with the code's default."""
    arguments = {argument.name: argument for argument in entry.arguments}
    seen: set[str] = set()
    result: list[Paragraph] = []
    for field in entry.doc.parameters:
        if field.name not in seen:
            seen.add(field.name)
            result.append(_paragraph(field, arguments.get(field.name)))
    return result


def facts(entry: PublicCallable, text: str) -> list[Fact]:
    """The default and purpose facts of a callable whose document has `text`; each quote is unique in it."""
    found: list[Fact] = []
    said = paragraphs(entry)
    first = [first_sentence(paragraph.description) for paragraph in said]
    for paragraph, sentence, thing in zip(said, first, things(first), strict=True):
        if text.count(paragraph.mark) != 1:
            continue  # `x :` also stands in `max :`, or a description repeats the head
        fact = partial(Fact, owner=entry, parameter=paragraph.name, thing=thing)
        if paragraph.default is not None:
            found.append(fact(kind="default", value=paragraph.default, quote=paragraph.mark))
        if _asks_well(sentence, paragraph.head):
            found.append(fact(kind="purpose", value=sentence, quote=paragraph.mark))
        if (without := _without(paragraph)) and text.count(without) == 1:
            found.append(fact(kind="none", value=without, quote=without))
    return found


def lookups(entries: Iterable[PublicCallable]) -> list[Fact]:
    """A fact for each callable whose summary is unique in its package and does not name it."""
    entries = list(entries)
    counts = Counter((entry.package, normalised(entry.doc.summary)) for entry in entries)
    return [
        Fact(kind="lookup", owner=entry, parameter="", value=entry.doc.summary, quote="")
        for entry in entries
        if counts[entry.package, normalised(entry.doc.summary)] == 1
        and 4 <= len(entry.doc.summary.split()) <= _LONGEST_SENTENCE
        and not _names(entry)
    ]


def normalised(text: str) -> str:
    """The words of a text in lower case: what makes two texts the same."""
    return " ".join(re.findall(r"\w+", text.lower()))


def lacks(entry: PublicCallable, parameter: str) -> bool:
    """Whether neither the signature nor the docstring of a callable holds the word `parameter`."""
    named = {argument.name.lstrip("*") for argument in entry.arguments}
    # With **kwargs a parameter may exist that no text names.
    open_ended = any(argument.name.startswith("**") for argument in entry.arguments)
    written = re.search(rf"(?<!\w){re.escape(parameter)}(?!\w)", entry.text, re.IGNORECASE)
    return parameter not in named and not open_ended and written is None


def document_text(entry: PublicCallable) -> str:
    """The document of a callable: its names, its summary, a paragraph for each parameter, what it returns.

    The first line gives names only: a default stands in one place, the paragraph of its parameter, so that
    the chunk that answers is the chunk that the quote points to.
    """
    names = ", ".join(argument.name for argument in entry.arguments)
    parts = [f"{entry.name}({names})", entry.doc.summary]
    parts += [paragraph.text for paragraph in paragraphs(entry)]
    returned = [_returned(field) for field in entry.doc.returns]
    if returned:
        parts.append("Returns " + "; ".join(returned))
    return "\n\n".join(parts)


def _paragraph(field: Field, argument: Argument | None) -> Paragraph:
    default = argument.default if argument else None
    name = field.name if default is None else f"{field.name}={default}"
    return Paragraph(
        name=field.name,
        default=default,
        head=f"{name} : {field.type}".rstrip(),
        mark=f"{name} :",
        description=field.description,
    )


def _returned(field: Field) -> str:
    head = f"{field.name} : {field.type}" if field.name else field.type
    return f"{head} {first_sentence(field.description)}".strip()


def _asks_well(sentence: str, head: str) -> bool:
    """Whether a sentence is whole, says something, and fits into a chunk with its head."""
    words = len(sentence.split())
    return (
        _SHORTEST_SENTENCE <= words <= _LONGEST_SENTENCE
        and words + len(head.split()) <= _LONGEST_HEAD_AND_SENTENCE
        and not _ABBREVIATION.search(sentence)
        and not normalised(sentence).startswith(("see ", "same as", "deprecated", "not used", "refer to"))
    )


def _without(paragraph: Paragraph) -> str:
    """The sentence that says what happens without the parameter; empty where none stands alone."""
    words = len(paragraph.head.split())
    for sentence in sentences(paragraph.description):
        words += len(sentence.split())
        if words > _LONGEST_UP_TO_NONE:
            break
        if _WITHOUT.match(sentence) and len(sentence.split()) >= _SHORTEST_SENTENCE + 2:
            return "" if _ABBREVIATION.search(sentence) else sentence
    return ""


def _names(entry: PublicCallable) -> bool:
    """Whether the summary gives the callable away."""
    words = normalised(entry.doc.summary).split()
    last = entry.name.rpartition(".")[2].lower()
    return last in words or "".join(words).find(last) >= 0

"""Docstrings in the numpydoc format, read as far as they follow it.

The format is that of numpydoc's style guide: a summary, then sections underlined with dashes. Real
docstrings stray from it (a signature on top, missing blanks before the colon, types over several lines);
what cannot be read is left out and nothing is raised.
"""

import inspect
import re
from dataclasses import dataclass

_SIGNATURE = re.compile(r"^[\w.]+\(.*\)(\s*->.*)?$")
_UNDERLINE = re.compile(r"^(-{3,}|={3,})\s*$")
_HEAD = re.compile(r"^(`?\*{0,2}\w+`?(?:\s*,\s*`?\*{0,2}\w+`?)*)\s*(?::\s*(.*))?$")
_ROLE = re.compile(r":[\w:+-]+:`([^`]*)`")
_TARGET = re.compile(r"\s*<[^<>]*>$")
_LINK = re.compile(r"`([^`<>]+?)\s*<[^`<>]*>`_{1,2}")
_GALLERY = re.compile(r"[^.!?]*`sphx_glr[^`]*`[^.!?]*[.!?]?")  # "see <picture gallery>" means nothing in text
_FOOTNOTE = re.compile(r"\s?\[\w+\]_")
_ASSIGNED_DEFAULT = re.compile(r",?\s*\bdefault\s*=.*$", re.IGNORECASE)
_TOLD_DEFAULT = re.compile(
    r",?\s*\(?\b(?:by )?default(?:s to|\s*(?:is|:|to))?\s*[^,;{}()\[\]]*(?:\([^()]*\))?\)?\.?$", re.IGNORECASE
)
_OPTIONAL = re.compile(r",?\s*\(?\boptional\b\)?", re.IGNORECASE)
_DIRECTIVE = re.compile(r"\.\. |\.\.\w+::")
_ASIDE = re.compile(r"\s*\([^()]*\)")
_SENTENCE_END = re.compile(r"(?<!e\.g)(?<!i\.e)(?<!etc)(?<!vs)(?<!cf)(?<!\.)[.!?](?=\s+[A-Z`'\"(*]|$)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One entry of a Parameters or Returns section; `description` is a single line without markup."""

    name: str
    type: str
    description: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Docstring:
    """What a docstring says; `signature` is that of its first line, as written for C functions."""

    signature: str
    summary: str
    deprecated: bool
    parameters: tuple[Field, ...]
    returns: tuple[Field, ...]


def parse_docstring(text: str) -> Docstring:
    """The parts of a docstring; a part that is not there is empty."""
    lines = inspect.cleandoc(text).expandtabs().splitlines()
    signature, lines = _signature(lines)
    preface, sections = _sections(lines)
    fields = sections.get("Parameters", []), sections.get("Other Parameters", [])
    return Docstring(
        signature=signature,
        summary=_summary(preface),
        deprecated=any(line.lstrip().startswith(".. deprecated::") for line in preface),
        parameters=tuple(field for section in fields for field in _fields(section)),
        returns=tuple(_returned(sections.get("Returns", []))),
    )


def description(text: str) -> str:
    """What a docstring says between its summary and its first section, on one line; often nothing."""
    _, lines = _signature(inspect.cleandoc(text).expandtabs().splitlines())
    paragraphs = "\n".join(_sections(lines)[0]).strip().split("\n\n")
    prose = [part for part in paragraphs[1:] if not _DIRECTIVE.match(part.lstrip()) and ">>>" not in part]
    return plain(" ".join(prose))


def without_asides(text: str) -> str:
    """The text without what stands in parentheses."""
    return _ASIDE.sub("", text)


def first_sentence(text: str) -> str:
    """The first sentence of a line of prose, or all of it where no sentence ends."""
    end = _SENTENCE_END.search(text)
    return text[: end.end()] if end else text


def sentences(text: str) -> list[str]:
    """The sentences of a line of prose, in order."""
    found: list[str] = []
    while text:
        first = first_sentence(text)
        found.append(first)
        text = text[len(first) :].lstrip()
    return found


def plain(text: str) -> str:
    """The text on one line, without reStructuredText roles, links, footnotes and doubled backticks."""
    text = _ROLE.sub(lambda match: f"`{_shown(match[1])}`", text)
    text = _GALLERY.sub("", text)
    text = _LINK.sub(r"\1", text)
    text = _FOOTNOTE.sub("", text)
    text = text.replace("``", "`").replace("::", ":").replace("\\", "")
    return " ".join(text.split())


def _shown(target: str) -> str:
    """What a role shows: `~a.b.C` shows C, `text <target>` shows text."""
    if target.startswith("~"):
        return target.rpartition(".")[2]
    return _TARGET.sub("", target) or target


def _signature(lines: list[str]) -> tuple[str, list[str]]:
    """The signature on top of a C function's docstring, and the other lines."""
    head = ""
    for position, line in enumerate(lines[:12]):
        if not line.strip():
            break
        head = f"{head} {line.strip()}".strip()
        if head.count("(") == head.count(")") and _SIGNATURE.match(head):
            return head, lines[position + 1 :]
        if "(" not in head:
            break
    return "", lines


def _sections(lines: list[str]) -> tuple[list[str], dict[str, list[str]]]:
    preface: list[str] = []
    sections: dict[str, list[str]] = {}
    current = preface
    for position, line in enumerate(lines):
        following = lines[position + 1] if position + 1 < len(lines) else ""
        if line.strip() and _UNDERLINE.match(following.strip()) and not _UNDERLINE.match(line.strip()):
            current = sections.setdefault(line.strip(), [])
        elif not (_UNDERLINE.match(line.strip()) and position and lines[position - 1].strip() in sections):
            current.append(line)
    return preface, sections


def _summary(preface: list[str]) -> str:
    """The first paragraph that is prose."""
    paragraph: list[str] = []
    for line in [*preface, ""]:
        if line.strip():
            paragraph.append(line)
        elif paragraph:
            if not paragraph[0].lstrip().startswith("..") and not _SIGNATURE.match(paragraph[0].strip()):
                return plain(" ".join(paragraph))
            paragraph = []
    return ""


def _fields(lines: list[str]) -> list[Field]:
    """The entries of a section: a head at its left margin, a description that is indented."""
    margin = min((_indent(line) for line in lines if line.strip()), default=0)
    entries: list[tuple[re.Match[str], list[str]]] = []
    rest = [line[margin:] for line in lines]
    while rest:
        line = rest.pop(0)
        if line.strip() and not _indent(line):
            # A type may go on over several lines: until its brackets close and no comma is left hanging.
            while rest and rest[0].strip() and _goes_on(line):
                line = f"{line.rstrip().rstrip(chr(92))} {rest.pop(0).strip()}"
            if match := _HEAD.match(line.strip()):
                entries.append((match, []))
                continue
        if entries:
            entries[-1][1].append(line)
    return [
        Field(name=name.strip().strip("`"), type=_type(match[2] or ""), description=_description(body))
        for match, body in entries
        for name in match[1].split(",")
    ]


def _returned(lines: list[str]) -> list[Field]:
    """The entries of Returns; a head without a colon there is a type, not a name."""
    margin = min((_indent(line) for line in lines if line.strip()), default=0)
    entries: list[tuple[str, list[str]]] = []
    for line in (line[margin:] for line in lines):
        if line.strip() and not _indent(line):
            entries.append((line.strip(), []))
        elif entries:
            entries[-1][1].append(line)
    fields: list[Field] = []
    for head, body in entries:
        name, colon, kind = head.partition(" : ")
        fields.append(
            Field(
                name=plain(name) if colon else "",
                type=plain(kind if colon else name),
                description=_description(body),
            )
        )
    return fields


def _goes_on(head: str) -> bool:
    kind = head.partition(":")[2].rstrip()
    opened = sum(kind.count(mark) for mark in "([{") - sum(kind.count(mark) for mark in ")]}")
    return kind.endswith((",", "\\")) or opened > 0


def _type(text: str) -> str:
    """A documented type without its default and without `optional`: those come from the code."""
    for aside in (_ASSIGNED_DEFAULT, _TOLD_DEFAULT, _OPTIONAL):
        text = aside.sub("", text)
    return plain(text).strip(" ,;:")


def _description(lines: list[str]) -> str:
    """The prose of an entry on one line; directives (`.. versionadded::`) go with what is below them."""
    kept: list[str] = []
    directive: int | None = None
    for line in lines:
        if not line.strip():
            continue
        if directive is not None and _indent(line) > directive:
            continue
        directive = _indent(line) if _DIRECTIVE.match(line.lstrip()) else None
        if directive is None:
            kept.append(line)
    return plain(" ".join(kept))


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())

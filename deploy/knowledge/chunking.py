"""Cuts documents into chunks: pieces of text short enough to be put into a prompt.

Pure: text in, text out. No word is lost and none changes its place, whatever the text looks like.
"""

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from deploy.knowledge.definitions import starts_with_definition
from deploy.knowledge.headings import sections

_BLANK_LINE = re.compile(r"\n[^\S\n]*\n\s*")
# A small letter behind the blank: no sentence has ended (`i.e. data`).
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+(?![a-z])")


@dataclass(frozen=True, slots=True, kw_only=True)
class KnowledgeDocument:
    """A document as the store knows it; `uri` says where it comes from.

    With `tags` only who holds one of them finds it (`deploy.knowledge.tags`). A search can be kept to
    documents by their `metadata` (`deploy.documents.wanted`).
    """

    id: str
    uri: str
    title: str
    text: str
    tags: tuple[str, ...] = ()
    metadata: Mapping[str, str] = field(default_factory=dict, hash=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """A piece of a document; `body` is some of its text, words unchanged and in order, below its headings.

    `id` follows from the document's id and the text: an id never comes to mean other words, and it stays
    the same when other documents come or go.
    """

    id: int
    document: str
    title: str
    body: str

    @property
    def text(self) -> str:
        """What is found and shown: the title on the first line, then the body."""
        return f"{self.title}\n{self.body}" if self.title else self.body


def chunk_documents(documents: Iterable[KnowledgeDocument], *, max_words: int) -> Iterator[Chunk]:
    """The chunks of each document, in order, none across a heading; a document without words has none."""
    for document in documents:
        seen: dict[str, int] = {}
        for body in _bodies(document, max_words):
            copy = seen[body] = seen.get(body, -1) + 1
            yield Chunk(
                id=_chunk_id(document, body, copy), document=document.id, title=document.title, body=body
            )


def _bodies(document: KnowledgeDocument, max_words: int) -> Iterator[str]:
    """The pieces of each section, each with the headings that it stands under as its first line."""
    for section in sections(document.text, max_words=max_words // 2):
        above = section.above(document.title, max_words=max_words // 2)
        pieces = split_text(section.text, max_words=max_words - len(above.split()))
        for piece in pieces:
            yield f"{above}\n{piece}" if above else piece
        if not pieces and section.headings:
            yield above or section.headings[-1]


def split_text(text: str, *, max_words: int) -> list[str]:
    """The pieces of `text`, each of at most `max_words` words.

    Paragraphs stay whole where they fit, and small neighbours share a piece. A longer paragraph is cut at
    the ends of sentences, a longer sentence between words. What a cut leaves over takes no definition
    (`name=default : type`) behind it, so that a definition stands at the start of a piece or behind whole
    paragraphs.
    """
    pieces: list[str] = []
    words = 0
    leftover = False
    for paragraph in filter(None, map(str.strip, _BLANK_LINE.split(text))):
        count = len(paragraph.split())
        joins = words + count <= max_words and not (leftover and starts_with_definition(paragraph))
        if pieces and joins:
            pieces[-1] += "\n" + paragraph
            words += count
        elif count <= max_words:
            pieces.append(paragraph)
            words, leftover = count, False
        else:
            pieces += _cut(paragraph, max_words)
            words, leftover = len(pieces[-1].split()), True
    return pieces


def _cut(paragraph: str, max_words: int) -> list[str]:
    """A long paragraph in pieces of whole sentences where they fit, of about equal length."""
    total = len(paragraph.split())
    fair_share = total / -(-total // max_words)  # no last piece of a few words that nobody can understand
    pieces: list[str] = []
    words = max_words  # the first sentence opens a piece
    for sentence in _SENTENCE_END.split(paragraph):
        for part in _by_words(sentence, max_words):
            count = len(part.split())
            if words + count <= max_words and words < fair_share:
                pieces[-1] += " " + part
                words += count
            else:
                pieces.append(part)
                words = count
    return pieces


def _by_words(sentence: str, max_words: int) -> list[str]:
    words = sentence.split()
    if len(words) <= max_words:
        return [sentence]
    return [" ".join(words[start : start + max_words]) for start in range(0, len(words), max_words)]


def _chunk_id(document: KnowledgeDocument, body: str, copy: int) -> int:
    named = "\0".join([document.id, document.title, str(copy), body])
    # 52 bits: exact in JSON, and one in a million that any two of 100,000 chunks meet.
    return int.from_bytes(hashlib.sha256(named.encode()).digest()[:8], "big") >> 12

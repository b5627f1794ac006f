"""Adds files to what a server answers from, with a word on each; what cannot be read is counted."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from deploy.documents.lines import SUFFIX, BadLine, read_lines
from deploy.documents.reading.formats import SUFFIXES, by_suffix, read_file
from deploy.documents.wanted import check_filters
from deploy.errors import DocumentError, KnowledgeError, SettingsError
from deploy.knowledge.chunking import KnowledgeDocument
from deploy.knowledge.tags import checked_tags

if TYPE_CHECKING:
    from deploy.documents.live import LiveKnowledge


# Characters of text that are embedded together: a page at a time leaves the processor half idle.
_CHARACTERS_AT_ONCE = 100_000


@dataclass(frozen=True, slots=True)
class _Waiting:
    """A document that is to be added, what is to be said of it, and whether it is a line of many."""

    document: KnowledgeDocument
    notes: Sequence[str] = ()
    is_line: bool = False


class Adding:
    """Adds documents to `knowledge` with some tags, where there are keys (`keyed`) to tell by them who asks.

    They all have this metadata, beside what they have of their own.

    Raises:
        SettingsError: there are tags, and no keys.
        FilterError: nothing is found by such metadata.
    """

    def __init__(
        self,
        knowledge: "LiveKnowledge",
        tags: Sequence[str] = (),
        metadata: Mapping[str, str] = MappingProxyType({}),
        *,
        keyed: bool = True,
    ) -> None:
        self._knowledge, self._tags, self._keyed = knowledge, tuple(tags), keyed
        self._metadata = metadata
        self._before = {document.id: document.tags for document, _ in knowledge.documents()}
        self._waiting: list[_Waiting] = []
        self._characters = 0  # of what waits
        self._added = 0
        self._skipped = Counter[str]()
        self._check_tags(tags)
        check_filters(metadata, knowledge.filters)

    def add(self, given: Sequence[Path]) -> None:
        """Add each file, and those below each folder; of these, one that cannot be read counts.

        In a file of lines each is a document. Some are embedded at a time, and each is told of after that.

        Raises:
            SettingsError: what is given is not there, or holds nothing of a known format.
            KnowledgeError: a file that is given itself cannot be read, or none can.
        """
        for place in given:
            if place.is_file() and place.suffix.lower() == SUFFIX:
                self._add_lines(place)
                continue
            for path in files_of(place, self._skipped):
                name = path.relative_to(place).as_posix() if place.is_dir() else path.name
                try:
                    self._add_file(name, path)
                except DocumentError as error:
                    if not place.is_dir():
                        raise KnowledgeError(f"{path}: {error}") from None
                    self._skip(name, error)
            self._put_waiting()
        if self._skipped:
            told = ", ".join(
                f"{count} {reason.replace('_', ' ')}" for reason, count in sorted(self._skipped.items())
            )
            print(f"{self._added} documents were added, {self._skipped.total()} skipped: {told}")
        if not self._added:
            raise KnowledgeError("no document could be read; what is wrong with each stands above")

    def _add_file(self, name: str, path: Path) -> None:
        reading = read_file(path)
        document = KnowledgeDocument(
            id=name, uri=f"file:{path}", title=reading.title or name, text=reading.text
        )
        self._put(_Waiting(document, notes=reading.notes))

    def _add_lines(self, path: Path) -> None:
        documents = passages = 0
        for line in read_lines(path):
            if isinstance(line, BadLine):
                self._skip(f"{path.name}, line {line.number}", line.error)
                continue
            documents += 1
            passages += self._put(_Waiting(line, is_line=True))
        passages += self._put_waiting()
        print(f"{path.name}: {documents} documents, {passages} passages")

    def _put(self, given: _Waiting) -> int:
        """Let a document wait to be added; how many passages were added with those that waited before it."""
        document = given.document
        self._check_tags(document.tags)
        check_filters(document.metadata, self._knowledge.filters)
        document = replace(
            document,
            tags=checked_tags([*document.tags, *self._tags]),
            metadata={**self._metadata, **document.metadata},
        )
        self._waiting.append(replace(given, document=document))
        self._characters += len(document.text)
        return self._put_waiting() if self._characters >= _CHARACTERS_AT_ONCE else 0

    def _put_waiting(self) -> int:
        """Add what waits, and tell of it; how many passages that are."""
        waiting, self._waiting, self._characters = self._waiting, [], 0
        added = self._knowledge.put_all([each.document for each in waiting])
        self._added += len(added)
        for each, passages in zip(waiting, added, strict=True):
            name = each.document.id
            told = [] if each.is_line else [f"{passages} passages", *each.notes]
            if told := [*told, *self._opened(each.document)]:
                print(f"{name}: {'; '.join(told)}")
        return sum(added)

    def _opened(self, document: KnowledgeDocument) -> list[str]:
        """What to say where others are to see a document now."""
        before, tags = self._before.get(document.id, ()), document.tags
        if not before or {*tags} == {*before}:
            return []
        seen_by = f"is for the tags {' '.join(tags)}" if tags else "has no tags, so whoever may ask sees it"
        return [f"it was for the tags {' '.join(before)}, and now it {seen_by}"]

    def _check_tags(self, tags: Sequence[str]) -> None:
        if tags and not self._keyed:
            raise SettingsError("tags say which keys see a document, and serve.keys is null; set it first")

    def _skip(self, name: str, error: DocumentError) -> None:
        print(f"{name}: skipped: {error}")
        self._skipped[error.reason] += 1


def files_of(place: Path, skipped: Counter[str]) -> list[Path]:
    """A file, or those below a folder that are of a known format; the others are counted in `skipped`.

    Raises:
        SettingsError: it is not there, or there are none.
    """
    if place.is_dir():
        files = sorted(path for path in place.rglob("*") if path.is_file())
        inside = [path for path in files if by_suffix(path)]
        if not inside:
            raise SettingsError(f"{place} has no file that ends in {', '.join(SUFFIXES)}")
        if others := len(files) - len(inside):
            skipped["other_format"] += others
        return inside
    if not place.is_file():
        raise SettingsError(f"{place} is not there")
    if by_suffix(place) is None:
        known = ", ".join((*SUFFIXES, SUFFIX))
        raise SettingsError(f"{place} is none of {known}: save it as text first")
    return [place]

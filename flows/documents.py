"""The command `threeply documents`: adds, lists and deletes what a server answers from, running or not."""

import argparse
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deploy.documents.reading.formats import SUFFIXES, by_suffix, read_file
from deploy.errors import DocumentError, KnowledgeError, SettingsError
from deploy.knowledge.tags import checked_tags

if TYPE_CHECKING:
    from deploy.documents.live import LiveKnowledge


def add_flags(parser: argparse.ArgumentParser) -> None:
    """The words that `threeply documents` understands."""
    parser.add_argument("--bundle", type=Path, metavar="DIR", help="instead of serve.bundle")
    ways = parser.add_subparsers(dest="way", metavar="WAY", required=True)
    add = ways.add_parser("add", help="add documents, or replace those of the same names")
    add.add_argument("files", type=Path, nargs="+", metavar="FILE", help="files, or folders of them")
    text = "only keys with this tag see them; several may be given; without any everybody who may ask"
    add.add_argument("--tag", action="append", default=[], metavar="TAG", dest="tags", help=text)
    ways.add_parser("list", help="show what was added")
    delete = ways.add_parser("delete", help="delete a document, and look whether anything of it is left")
    delete.add_argument("document", metavar="NAME")


def change_documents(settings: Any, words: argparse.Namespace) -> None:
    """Do what `words` say to the documents beside the bundle.

    Raises:
        SettingsError: no folder is set for them, or a file is of a format that is not read.
        KnowledgeError: a file cannot be read or added, or no document has the name.
    """
    with opened(settings, words.bundle or settings.serve.bundle) as knowledge:
        if words.way == "add":
            if words.tags and settings.serve.keys is None:
                raise SettingsError(
                    "tags say which keys see a document, and serve.keys is null; set it first"
                )
            add_files(knowledge, words.files, checked_tags(words.tags))
        elif words.way == "list":
            known = knowledge.documents()
            for document, passages in known:
                tags = f"  [{' '.join(document.tags)}]" if document.tags else ""
                print(f"{document.id:<40} {passages:>5} passages  {document.title}{tags}")
            print(f"{len(known)} documents beside the {knowledge.store.num_documents} of the bundle")
        else:
            delete(knowledge, words.document, settings.serve.feedback)


@contextmanager
def opened(settings: Any, bundle: Path) -> "Iterator[LiveKnowledge]":
    """The knowledge of `bundle` with what was added, as a server has it.

    Raises:
        SettingsError: serve.documents is null.
        BundleError, KnowledgeError: the bundle or what was added cannot be read.
    """
    from deploy.bundle import read_settings
    from deploy.documents.live import LiveKnowledge
    from deploy.knowledge.store import open_knowledge
    from deploy.manifest import read_manifest

    folder = settings.serve.documents
    if folder is None:
        raise SettingsError("serve.documents is null; set it to a folder, such as .threeply/documents")
    read_manifest(bundle)
    own = read_settings(bundle)
    store = open_knowledge(bundle / "knowledge", bundle / "embedder", own.retrieval)
    knowledge = LiveKnowledge(store, folder, chunk_words=own.chunk_words)
    try:
        yield knowledge
    finally:
        knowledge.close()


def add_files(knowledge: "LiveKnowledge", given: list[Path], tags: Sequence[str] = ()) -> None:
    """Add each file with these tags, and those below each folder; of these, one that cannot be read counts.

    Raises:
        SettingsError: what is given is not there, or holds nothing of a known format.
        KnowledgeError: a file that is given itself cannot be read, or none can.
    """
    added = 0
    before = {document.id: document.tags for document, _ in knowledge.documents()}
    skipped = Counter[str]()
    for place in given:
        for path in files_of(place, skipped):
            name = path.relative_to(place).as_posix() if place.is_dir() else path.name
            try:
                passages, notes = _add(knowledge, name, path, tags)
            except DocumentError as error:
                if not place.is_dir():
                    raise KnowledgeError(f"{path}: {error}") from None
                print(f"{name}: skipped: {error}")
                skipped[error.reason] += 1
            else:
                added += 1
                print(
                    "; ".join([f"{name}: {passages} passages", *notes, *_opened(before.get(name, ()), tags)])
                )
    if skipped:
        told = ", ".join(f"{count} {reason.replace('_', ' ')}" for reason, count in sorted(skipped.items()))
        print(f"{added} files were added, {skipped.total()} skipped: {told}")
    if not added:
        raise KnowledgeError("no file could be read; what is wrong with each stands above")


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
        raise SettingsError(f"{place} is none of {', '.join(SUFFIXES)}: save it as text first")
    return [place]


def _add(
    knowledge: "LiveKnowledge", name: str, path: Path, tags: Sequence[str]
) -> tuple[int, tuple[str, ...]]:
    """Add a file; the number of its passages, and what was left out."""
    from deploy.knowledge.chunking import KnowledgeDocument

    reading = read_file(path)
    document = KnowledgeDocument(
        id=name, uri=f"file:{path}", title=reading.title or name, text=reading.text, tags=tuple(tags)
    )
    return knowledge.put(document), reading.notes


def _opened(before: Sequence[str], now: Sequence[str]) -> list[str]:
    """What to say where a document had tags, and others are to see it now."""
    if not before or {*now} == {*before}:
        return []
    seen_by = f"is for the tags {' '.join(now)}" if now else "has no tags, so whoever may ask sees it"
    return [f"it was for the tags {' '.join(before)}, and now it {seen_by}"]


def delete(knowledge: "LiveKnowledge", name: str, feedback: Path | None) -> None:
    """Delete a document, and its passages in the ratings in `feedback`; say where words of it are left.

    Raises:
        KnowledgeError: there is none of this name.
    """
    texts = knowledge.texts(name)
    if not knowledge.delete(name):
        known = ", ".join(document.id for document, _ in knowledge.documents()) or "none"
        raise KnowledgeError(f"no document is called {name!r}; added were: {known}")
    ratings = forget(name, feedback)
    left = [path for path in (*knowledge.files(), *ratings) if holds(path, texts)]
    print(f"{name} is deleted: it is found no more")
    if name in knowledge.store.ranges:
        print(
            "The bundle still holds its text, which is not searched. Take it out of the sources and run "
            "threeply run for a bundle without it"
        )
    print(f"words of it are left in {', '.join(map(str, left))}" if left else "No added file holds its words")
    if any(path in ratings for path in left):
        print("Answers that were rated quote it: threeply feedback list, and delete those")


def forget(name: str, feedback: Path | None) -> list[Path]:
    """Take the passages of a document out of the ratings; the files of these, none where there are none."""
    from deploy.feedback.store import FILE, FeedbackStore

    if feedback is None or not (feedback / FILE).exists():
        return []
    store = FeedbackStore(feedback)
    try:
        store.forget(name)
    finally:
        store.close()
    return sorted(feedback.glob(f"{FILE}*"))


def holds(path: Path, texts: list[str]) -> bool:
    """Whether a file has one of the texts in it, as it stands or line by line."""
    content = path.read_bytes()
    lines = {line.strip() for text in texts for line in text.splitlines() if len(line.strip()) >= 12}
    return any(line.encode() in content for line in lines)

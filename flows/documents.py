"""The command `threeply documents`: adds, lists and deletes what a server answers from, running or not."""

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from deploy.documents.wanted import spelled_metadata
from deploy.errors import KnowledgeError, SettingsError
from deploy.knowledge.tags import checked_tags
from flows.adding import Adding

if TYPE_CHECKING:
    from deploy.documents.live import LiveKnowledge
    from deploy.settings import ServeSettings


def add_flags(parser: argparse.ArgumentParser) -> None:
    """The words that `threeply documents` understands."""
    parser.add_argument("--bundle", type=Path, metavar="DIR", help="instead of serve.bundle")
    ways = parser.add_subparsers(dest="way", metavar="WAY", required=True)
    told = "add documents, or replace those of the same names; in a .jsonl file each line is one"
    add = ways.add_parser("add", help=told)
    add.add_argument("files", type=Path, nargs="+", metavar="FILE", help="files, or folders of them")
    text = "only keys with this tag see them; several may be given; without any everybody who may ask"
    add.add_argument("--tag", action="append", default=[], metavar="TAG", dest="tags", help=text)
    text = "what searches can keep to them by (knowledge.filters), such as product=kiln; several may be given"
    add.add_argument("--metadata", action="append", default=[], metavar="NAME=VALUE", help=text)
    ways.add_parser("list", help="show what was added")
    delete = ways.add_parser("delete", help="delete a document, and look whether anything of it is left")
    delete.add_argument("document", metavar="NAME")


def change_documents(settings: "ServeSettings", words: argparse.Namespace) -> None:
    """Do what `words` say to the documents beside the bundle.

    Raises:
        SettingsError: no folder is set for them, or a file is of a format that is not read.
        FilterError: metadata is given that nothing is found by.
        KnowledgeError: a file cannot be read or added, or no document has the name.
    """
    with opened(settings, words.bundle or settings.bundle) as knowledge:
        if words.way == "add":
            tags, metadata = checked_tags(words.tags), spelled_metadata(words.metadata)
            Adding(knowledge, tags, metadata, keyed=settings.keys is not None).add(words.files)
        elif words.way == "list":
            known = knowledge.documents()
            for document, passages in known:
                closed = f"  [{' '.join(document.tags)}]" if document.tags else ""
                about = "".join(f"  {name}={value}" for name, value in document.metadata.items())
                print(f"{document.id:<40} {passages:>5} passages  {document.title}{closed}{about}")
            print(f"{len(known)} documents beside the {knowledge.store.num_documents} of the bundle")
        else:
            delete(knowledge, words.document, settings.feedback)


@contextmanager
def opened(settings: "ServeSettings", bundle: Path) -> "Iterator[LiveKnowledge]":
    """The knowledge of `bundle` with what was added, as a server has it.

    Raises:
        SettingsError: serve.documents is null.
        BundleError, KnowledgeError: the bundle or what was added cannot be read.
    """
    from deploy.bundle import read_settings
    from deploy.documents.live import LiveKnowledge
    from deploy.knowledge.store import open_knowledge
    from deploy.manifest import read_manifest

    folder = settings.documents
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

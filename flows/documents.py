"""The command `threeply documents`: adds, lists and deletes what a server answers from, running or not."""

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deploy.errors import KnowledgeError, SettingsError

if TYPE_CHECKING:
    from deploy.documents.live import LiveKnowledge

KINDS = (".md", ".markdown", ".txt")


def add_flags(parser: argparse.ArgumentParser) -> None:
    """The words that `threeply documents` understands."""
    parser.add_argument("--bundle", type=Path, metavar="DIR", help="instead of serve.bundle")
    ways = parser.add_subparsers(dest="way", metavar="WAY", required=True)
    add = ways.add_parser("add", help="add texts, or replace those of the same names")
    add.add_argument("files", type=Path, nargs="+", metavar="FILE", help="files, or folders of them")
    ways.add_parser("list", help="show what was added")
    delete = ways.add_parser("delete", help="delete a document, and look whether anything of it is left")
    delete.add_argument("document", metavar="NAME")


def change_documents(settings: Any, words: argparse.Namespace) -> None:
    """Do what `words` say to the documents beside the bundle.

    Raises:
        SettingsError: no folder is set for them, or a file is none of a known kind.
        KnowledgeError: a file cannot be read or added, or no document has the name.
    """
    with opened(settings, words.bundle or settings.serve.bundle) as knowledge:
        if words.way == "add":
            for name, path in named(words.files):
                passages = knowledge.put(read(name, path))
                print(f"{name}: {passages} passages")
        elif words.way == "list":
            found = knowledge.documents()
            for document, passages in found:
                print(f"{document.id:<40} {passages:>5} passages  {document.title}")
            print(f"{len(found)} documents beside the {knowledge.store.num_documents} of the bundle")
        else:
            delete(knowledge, words.document)


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


def named(files: list[Path]) -> Iterator[tuple[str, Path]]:
    """Each text with the name that it gets: that of the file, below a folder its path in there.

    Raises:
        SettingsError: a file is not there, or of another kind.
    """
    for given in files:
        if given.is_dir():
            inside = sorted(path for path in given.rglob("*") if path.suffix.lower() in KINDS)
            if not inside:
                raise SettingsError(f"{given} has no file that ends in {', '.join(KINDS)}")
            yield from ((path.relative_to(given).as_posix(), path) for path in inside)
        elif not given.is_file():
            raise SettingsError(f"{given} is not there")
        elif given.suffix.lower() not in KINDS:
            raise SettingsError(f"{given} is none of {', '.join(KINDS)}: save it as text first")
        else:
            yield given.name, given


def read(name: str, path: Path) -> Any:
    """The document in a file; its title is its first heading, or else its name.

    Raises:
        KnowledgeError: it is no UTF-8 text.
    """
    from deploy.knowledge.chunking import KnowledgeDocument

    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise KnowledgeError(f"{path} cannot be read as text: {error}; save it as UTF-8") from None
    heading = next((line[2:].strip() for line in text.splitlines() if line.startswith("# ")), "")
    return KnowledgeDocument(id=name, uri=f"file:{path}", title=heading or name, text=text)


def delete(knowledge: "LiveKnowledge", name: str) -> None:
    """Delete a document, and say where words of it are left.

    Raises:
        KnowledgeError: there is none of this name.
    """
    texts = knowledge.texts(name)
    if not knowledge.delete(name):
        known = ", ".join(document.id for document, _ in knowledge.documents()) or "none"
        raise KnowledgeError(f"no document is called {name!r}; added were: {known}")
    left = [path for path in knowledge.files() if holds(path, texts)]
    print(f"{name} is deleted: it is found no more")
    if name in knowledge.store.ranges:
        print(
            "The bundle still holds its text, which is not searched. Take it out of the sources and run "
            "threeply run for a bundle without it"
        )
    print(f"words of it are left in {', '.join(map(str, left))}" if left else "No added file holds its words")


def holds(path: Path, texts: list[str]) -> bool:
    """Whether a file has one of the texts in it, as it stands or line by line."""
    content = path.read_bytes()
    lines = {line.strip() for text in texts for line in text.splitlines() if len(line.strip()) >= 12}
    return any(line.encode() in content for line in lines)

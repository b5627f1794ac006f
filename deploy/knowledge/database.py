"""The truth of the knowledge store: one SQLite file with documents, chunks and their vectors.

The same content gives the same bytes: everything is written in one order, and no clock or chance enters.
"""

import json
import sqlite3
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from deploy.errors import KnowledgeError
from deploy.files import text_sha256
from deploy.knowledge.arrays import Vectors
from deploy.knowledge.chunking import Chunk, KnowledgeDocument
from deploy.knowledge.hits import Hit

TRUTH = "knowledge.sqlite"  # its name in the folder of a store
_SCHEMA = """
CREATE TABLE facts (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE documents (
    position INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, uri TEXT NOT NULL, title TEXT NOT NULL,
    sha256 TEXT NOT NULL
);
CREATE TABLE chunks (
    position INTEGER PRIMARY KEY, id INTEGER NOT NULL UNIQUE,
    document INTEGER NOT NULL REFERENCES documents, text TEXT NOT NULL
);
CREATE TABLE vectors (position INTEGER PRIMARY KEY REFERENCES chunks, vector BLOB NOT NULL);
"""
# Only where a document has tags: others are the files that they were before there were any.
_TAGS = """
CREATE TABLE tags (
    document INTEGER NOT NULL REFERENCES documents, tag TEXT NOT NULL, PRIMARY KEY (document, tag)
) WITHOUT ROWID;
"""
# Only where searches can be kept to documents by what is known of them.
_METADATA = """
CREATE TABLE metadata (
    document INTEGER NOT NULL REFERENCES documents, name TEXT NOT NULL, value TEXT NOT NULL,
    PRIMARY KEY (document, name)
) WITHOUT ROWID;
"""
_FORMAT = "1"
_WITH_TAGS = "2"  # so that a version which knows of no tags refuses the file, and shows it to nobody


def write_database(
    path: Path,
    documents: Sequence[KnowledgeDocument],
    chunks: Sequence[Chunk],
    vectors: Vectors,
    facts: Mapping[str, str],
    filters: Sequence[str] = (),
) -> None:
    """Write a new database. Positions count from 0; the chunks of a document stand side by side.

    Of the metadata of the documents it holds what `filters` names.

    Raises:
        KnowledgeError: two documents have one id.
    """
    tagged = [(at, tag) for at, document in enumerate(documents) for tag in sorted({*document.tags})]
    schema = f"{_SCHEMA}{_TAGS if tagged else ''}{_METADATA if filters else ''}"
    connection = sqlite3.connect(path)
    try:
        # A new file needs no journal: whoever calls puts it in place when it is whole.
        connection.executescript(f"PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; {schema}")
        told = {**facts, "format": _WITH_TAGS if tagged else _FORMAT}
        if filters:
            told["filters"] = json.dumps(list(filters))
        connection.executemany("INSERT INTO facts VALUES (?, ?)", sorted(told.items()))
        place: dict[str, int] = {}
        for position, document in enumerate(documents):
            if document.id in place:
                raise KnowledgeError(f"two documents have the id {document.id!r}; give each its own")
            place[document.id] = position
            digest = text_sha256(document.text)
            row = (position, document.id, document.uri, document.title, digest)
            connection.execute("INSERT INTO documents VALUES (?, ?, ?, ?, ?)", row)
        if tagged:
            connection.executemany("INSERT INTO tags VALUES (?, ?)", tagged)
        if filters:
            known = (
                (at, name, value)
                for at, document in enumerate(documents)
                for name in filters
                if (value := document.metadata.get(name))
            )
            connection.executemany("INSERT INTO metadata VALUES (?, ?, ?)", known)
        connection.executemany(
            "INSERT INTO chunks VALUES (?, ?, ?, ?)",
            ((at, chunk.id, place[chunk.document], chunk.text) for at, chunk in enumerate(chunks)),
        )
        connection.executemany(
            "INSERT INTO vectors VALUES (?, ?)",
            ((at, vector.astype("<f4").tobytes()) for at, vector in enumerate(vectors)),
        )
        connection.commit()
    finally:
        connection.close()


class Database:
    """A database opened for reading; any thread may ask."""

    def __init__(self, path: Path) -> None:
        if not path.is_file():
            raise KnowledgeError(f"the knowledge store {path} is not there; run the stage `index`")
        uri = f"{path.resolve().as_uri()}?mode=ro&immutable=1"
        self._connection = sqlite3.connect(uri, uri=True, check_same_thread=False)
        self._one_at_a_time = threading.Lock()
        try:
            self.facts: dict[str, str] = dict(self._connection.execute("SELECT name, value FROM facts"))
        except sqlite3.DatabaseError as error:
            self.close()
            raise KnowledgeError(
                f"the knowledge store {path} is damaged ({error}); delete it and run the stage `index`"
            ) from None
        if (found := self.facts.get("format")) not in (_FORMAT, _WITH_TAGS):
            self.close()
            raise KnowledgeError(
                f"{path.parent} has format {found}, this version reads {_FORMAT} and {_WITH_TAGS}; "
                "run the stage `index` again"
            )

    def hit(self, position: int, *, score: float, coverage: float) -> Hit:
        """The chunk at `position` with what is known of its document, as a hit with these figures."""
        with self._one_at_a_time:
            row = self._connection.execute(
                "SELECT chunks.id, documents.id, uri, title, chunks.text FROM chunks "
                "JOIN documents ON documents.position = chunks.document WHERE chunks.position = ?",
                (position,),
            ).fetchone()
        chunk, document, uri, title, text = row
        return Hit(
            chunk=chunk,
            document=document,
            uri=uri,
            title=title,
            text=text,
            score=score,
            coverage=coverage,
        )

    def texts(self) -> tuple[list[str], list[str]]:
        """The text of every chunk and the title of its document, by position."""
        with self._one_at_a_time:
            rows = self._connection.execute(
                "SELECT text, title FROM chunks JOIN documents ON documents.position = chunks.document "
                "ORDER BY chunks.position"
            ).fetchall()
        return [text for text, _ in rows], [title for _, title in rows]

    def vectors(self, dimensions: int) -> Vectors:
        """The vector of every chunk, by position."""
        with self._one_at_a_time:
            [(count,)] = self._connection.execute("SELECT COUNT(*) FROM vectors")
            vectors = np.empty((count, dimensions), dtype=np.float32)
            rows = self._connection.execute("SELECT vector FROM vectors ORDER BY position")
            for position, (blob,) in enumerate(rows):
                vectors[position] = np.frombuffer(blob, dtype="<f4")
        return vectors

    def ranges(self) -> dict[str, tuple[int, int]]:
        """Document id -> the positions of its chunks, as (first, after last)."""
        with self._one_at_a_time:
            rows = self._connection.execute(
                "SELECT documents.id, MIN(chunks.position), MAX(chunks.position) + 1 FROM chunks "
                "JOIN documents ON documents.position = chunks.document GROUP BY documents.position"
            ).fetchall()
        return {document: (first, end) for document, first, end in rows}

    def tags(self) -> dict[str, tuple[str, ...]]:
        """Document id -> its tags, of those that have any."""
        if self.facts["format"] != _WITH_TAGS:
            return {}
        found: dict[str, tuple[str, ...]] = {}
        with self._one_at_a_time:
            rows = self._connection.execute(
                "SELECT id, tag FROM tags JOIN documents ON position = document ORDER BY position, tag"
            )
            for document, tag in rows:
                found[document] = (*found.get(document, ()), tag)
        return found

    @property
    def filters(self) -> tuple[str, ...]:
        """The names of the metadata that it holds."""
        return tuple(json.loads(self.facts.get("filters", "[]")))

    def metadata(self) -> dict[str, dict[str, str]]:
        """Document id -> its metadata, of those that have any."""
        found: dict[str, dict[str, str]] = {}
        if not self.filters:
            return found
        with self._one_at_a_time:
            rows = self._connection.execute(
                "SELECT id, name, value FROM metadata JOIN documents ON position = document "
                "ORDER BY position, name"
            )
            for document, name, value in rows:
                found.setdefault(document, {})[name] = value
        return found

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

"""The truth of what was added or deleted while serving: one SQLite file that outlives restarts and releases.

What is deleted is overwritten, in the file and in its log: no page of either keeps the text.
"""

import json
import secrets
import sqlite3
from pathlib import Path

import numpy as np

from deploy.erasing import ErasingFile
from deploy.errors import KnowledgeError, NotKeptError
from deploy.knowledge.arrays import Vectors
from deploy.knowledge.chunking import KnowledgeDocument

FILE = "documents.sqlite"
_SCHEMA = """
CREATE TABLE IF NOT EXISTS documents (
    id TEXT PRIMARY KEY, uri TEXT NOT NULL, title TEXT NOT NULL, text TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS tags (
    document TEXT NOT NULL REFERENCES documents ON DELETE CASCADE, tag TEXT NOT NULL,
    PRIMARY KEY (document, tag)
);
CREATE TABLE IF NOT EXISTS vectors (
    document TEXT PRIMARY KEY REFERENCES documents ON DELETE CASCADE,
    made_by TEXT NOT NULL, rows BLOB NOT NULL
);
CREATE TABLE IF NOT EXISTS stamps (
    document TEXT PRIMARY KEY REFERENCES documents ON DELETE CASCADE, stamp INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS metadata (
    document TEXT PRIMARY KEY REFERENCES documents ON DELETE CASCADE, known TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS hidden (id TEXT PRIMARY KEY);
"""


class Additions:
    """Documents by their ids, and the ids of documents of the bundle that are hidden. Any thread may ask.

    `made_by` names what embeds and cuts: vectors of another are not given out.
    """

    def __init__(self, folder: Path, *, made_by: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.path, self._made_by = folder / FILE, made_by
        try:
            self._file = ErasingFile(self.path, _SCHEMA, unkept=self._unkept)
        except sqlite3.DatabaseError as error:
            raise KnowledgeError(
                f"the documents in {self.path} cannot be read ({error}); put a copy of the file back, or "
                "delete it: what was added while serving is lost then"
            ) from None

    def version(self) -> int:
        """Changes with every change that another process makes."""
        [(version,)] = self._file.read("PRAGMA data_version")
        return int(version)

    def put(self, document: KnowledgeDocument, vectors: Vectors) -> int:
        """Add a document with the vectors of its chunks, or replace the one of its id.

        Gives its stamp, a number that no other version of it has.
        """
        stamp = secrets.randbits(63)
        with self._file.changing() as connection:
            connection.execute("DELETE FROM documents WHERE id = ?", (document.id,))
            row = (document.id, document.uri, document.title, document.text)
            connection.execute("INSERT INTO documents VALUES (?, ?, ?, ?)", row)
            self._keep(connection, document.id, vectors)
            rows = [(document.id, tag) for tag in sorted({*document.tags})]
            connection.executemany("INSERT INTO tags VALUES (?, ?)", rows)
            if document.metadata:
                known = json.dumps(dict(document.metadata), ensure_ascii=False, sort_keys=True)
                connection.execute("INSERT INTO metadata VALUES (?, ?)", (document.id, known))
            connection.execute("INSERT INTO stamps VALUES (?, ?)", (document.id, stamp))
        return stamp

    def keep_vectors(self, name: str, vectors: Vectors) -> None:
        """Keep the vectors of a document that had none, or those of another embedder."""
        with self._file.changing() as connection:
            connection.execute("DELETE FROM vectors WHERE document = ?", (name,))
            self._keep(connection, name, vectors)

    def delete(self, name: str, *, hide: bool = False) -> bool:
        """Delete a document, and `hide` the one of the bundle with it; whether it was there.

        In one change: with the first alone, a document of the bundle that had been replaced would be back.
        """
        with self._file.changing() as connection:
            found = connection.execute("DELETE FROM documents WHERE id = ?", (name,)).rowcount > 0
            if hide:
                connection.execute("INSERT OR IGNORE INTO hidden VALUES (?)", (name,))
        return found

    def stamps(self) -> dict[str, int | None]:
        """The stamp of each document, in the order of their ids; None where there were no stamps yet."""
        query = "SELECT id, stamp FROM documents LEFT JOIN stamps ON document = id ORDER BY id"
        return dict(self._file.read(query))

    def document(self, name: str) -> KnowledgeDocument | None:
        """A document; None where it is not there."""
        # In one query: with the tags of another version it would be shown to whom it must not be.
        rows = self._file.read(
            "SELECT uri, title, text, known, tag FROM documents LEFT JOIN metadata ON metadata.document = id "
            "LEFT JOIN tags ON tags.document = id WHERE id = ? ORDER BY tag",
            name,
        )
        if not rows:
            return None
        uri, title, text, known, _ = rows[0]
        tags = tuple(tag for *_, tag in rows if tag is not None)
        metadata = json.loads(known) if known else {}
        return KnowledgeDocument(id=name, uri=uri, title=title, text=text, tags=tags, metadata=metadata)

    def hidden(self) -> frozenset[str]:
        """The ids of the hidden documents."""
        return frozenset(name for (name,) in self._file.read("SELECT id FROM hidden"))

    def vectors(self, name: str, *, dimensions: int) -> Vectors | None:
        """The vectors of a document's chunks; None where there are none of this embedder."""
        found = self._file.read(
            "SELECT rows FROM vectors WHERE document = ? AND made_by = ?", name, self._made_by
        )
        if not found:
            return None
        return np.frombuffer(found[0][0], dtype="<f4").astype(np.float32).reshape(-1, dimensions)

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _unkept(self, error: sqlite3.Error) -> NotKeptError:
        return NotKeptError(
            f"the documents in {self.path} cannot be changed ({error}); see that the disk has room and "
            "that the file may be written to"
        )

    def _keep(self, connection: sqlite3.Connection, name: str, vectors: Vectors) -> None:
        rows = vectors.astype("<f4").tobytes()
        connection.execute("INSERT INTO vectors VALUES (?, ?, ?)", (name, self._made_by, rows))

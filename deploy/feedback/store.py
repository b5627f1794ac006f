"""The ratings of answers in one SQLite file, which outlives restarts and releases.

What is withdrawn, deleted or replaced is overwritten, in the file and in its log: no page of either keeps it.
"""

import json
import sqlite3
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from deploy.erasing import ErasingFile
from deploy.errors import FeedbackError
from deploy.feedback.answers import GivenAnswer, without_passages
from deploy.files import parse_json

FILE = "feedback.sqlite"
MOST_BYTES = 256 * 2**20  # of the file: whoever may ask can write into it
_THAT_SHOW = """
SELECT id, answer FROM ratings WHERE EXISTS (
    SELECT 1 FROM json_each(answer, '$.sources') WHERE json_extract(value, '$.document') = ?
)
"""
Rating = Literal["up", "down"]
_PAGE_BYTES = 4096
_SCHEMA = """
CREATE TABLE IF NOT EXISTS ratings (
    id TEXT PRIMARY KEY, caller TEXT NOT NULL, rating TEXT NOT NULL CHECK (rating IN ('up', 'down')),
    better TEXT, rated INTEGER NOT NULL, answer TEXT NOT NULL
);
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rated:
    """What somebody thinks of an answer.

    `better` is what would have been right, where they said it; `rated` is in seconds since 1970.
    """

    answer: GivenAnswer
    rating: Rating
    better: str | None
    rated: int


class FeedbackStore:
    """Ratings by the ids of their answers, one of each. Any thread and any process may ask or change."""

    def __init__(self, folder: Path, *, most_bytes: int = MOST_BYTES) -> None:
        self.path = folder / FILE
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self.path.touch(mode=0o600)  # conversations stand in it: it is its owner's alone, as its log is
            most = f"PRAGMA page_size={_PAGE_BYTES}; PRAGMA max_page_count={most_bytes // _PAGE_BYTES};"
            self._file = ErasingFile(self.path, _SCHEMA, unkept=self._unkept, pragmas=most)
        except (OSError, sqlite3.Error) as error:
            raise FeedbackError(
                f"the ratings in {self.path} cannot be read ({error}); put a copy of the file back, or move "
                "it away: a new one is made then"
            ) from None

    def put(self, rated: Rated, caller: str) -> None:
        """Keep what `caller` thinks of an answer, instead of what was kept of it before.

        Raises:
            FeedbackError: the file has no room for it, or cannot be written.
        """
        answer = json.dumps(asdict(rated.answer), ensure_ascii=False)
        row = (rated.answer.id, caller, rated.rating, rated.better, rated.rated, answer)
        with self._file.changing() as connection:
            connection.execute("DELETE FROM ratings WHERE id = ?", (rated.answer.id,))
            connection.execute("INSERT INTO ratings VALUES (?, ?, ?, ?, ?, ?)", row)

    def of(self, name: str, caller: str) -> Rated | None:
        """What `caller` thinks of the answer of this id; None where they have not said."""
        found = self._read(
            "SELECT rating, better, rated, answer FROM ratings WHERE id = ? AND caller = ?", name, caller
        )
        return found[0] if found else None

    def all(self) -> list[Rated]:
        """All ratings, the oldest answer first."""
        return self._read(
            "SELECT rating, better, rated, answer FROM ratings ORDER BY json_extract(answer, '$.created'), id"
        )

    def withdraw(self, name: str, caller: str) -> bool:
        """Delete what `caller` thinks of the answer of this id; whether there was anything."""
        with self._file.changing() as connection:
            deleted = connection.execute("DELETE FROM ratings WHERE id = ? AND caller = ?", (name, caller))
        return deleted.rowcount > 0

    def delete(self, name: str) -> bool:
        """Delete the rating of the answer of this id, whosever it is; whether there was one."""
        with self._file.changing() as connection:
            deleted = connection.execute("DELETE FROM ratings WHERE id = ?", (name,))
        return deleted.rowcount > 0

    def forget(self, document: str) -> int:
        """Take the passages of a document out of all ratings; from how many."""
        with self._file.changing() as connection:
            found = connection.execute(_THAT_SHOW, (document,)).fetchall()
            for name, answer in found:
                told = asdict(without_passages(parse_json(answer, GivenAnswer), document))
                row = (json.dumps(told, ensure_ascii=False), name)
                connection.execute("UPDATE ratings SET answer = ? WHERE id = ?", row)
        return len(found)

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _read(self, query: str, *values: str) -> list[Rated]:
        try:
            return [
                Rated(answer=parse_json(answer, GivenAnswer), rating=rating, better=better, rated=when)
                for rating, better, when, answer in self._file.read(query, *values)
            ]
        except (sqlite3.Error, ValueError) as error:
            raise FeedbackError(
                f"the ratings in {self.path} cannot be read: {error}; put a copy of the file back"
            ) from None

    def _unkept(self, error: sqlite3.Error) -> FeedbackError:
        return FeedbackError(
            f"the ratings in {self.path} cannot be changed: {error}; make room on the disk, or export "
            "them and delete some (threeply feedback)"
        )

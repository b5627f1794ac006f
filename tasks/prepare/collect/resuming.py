"""Downloads that go on where they broke off, as long as the file at the address is still the same."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from deploy.atomic import remove
from deploy.files import text_sha256

# What is left of a broken download ends in this, as it does where the hub's client leaves one.
INCOMPLETE = ".incomplete"
WHOLE = {"Accept-Encoding": "identity"}  # a packed file shall stay as it is
_AT_ONCE = 2**16  # bytes; aiohttp holds back twice as much, which is lost where the line breaks
# What tells that a file is the one that was fetched, as storages call it.
_MARKS = (
    "ETag",
    "etag",
    "Last-Modified",
    "LastModified",
    "mtime",
    "created",
    "updated",
    "md5Hash",
    "Content-MD5",
    "Digest",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """What an address tells of its file before it is fetched; the size is None where it does not tell."""

    marks: dict[str, str]
    size: int | None

    @classmethod
    def of(cls, said: Mapping[str, Any]) -> "Identity":
        """What fsspec says of a file, reduced to what tells it from others."""
        return cls(marks={name: str(said[name]) for name in _MARKS if said.get(name)}, size=said.get("size"))

    @property
    def strong(self) -> bool:
        """Whether two files with it are the same byte by byte, so that one may go on where one ended."""
        return bool(self.size) and any(not mark.startswith("W/") for mark in self.marks.values())

    @property
    def validator(self) -> str:
        """What a web server holds against its file before it gives the rest of it (RFC 9110, If-Range)."""
        etag = self.marks.get("ETag", "W/")
        return self.marks.get("Last-Modified", "") if etag.startswith("W/") else etag


class OtherPartError(OSError):
    """The rest of a file cannot be had; it has to be begun anew."""


def downloaded(system: Any, place: str, identity: Identity, folder: Path, name: str) -> tuple[Path, int]:
    """The whole file, called `name` in some way below `folder`, and how many bytes were there already.

    What was begun of another file is removed; what was begun of one that is not told apart well is, too.

    Raises:
        OSError: it broke off. What came is kept for the next call.
    """
    begun = folder / f"{text_sha256(json.dumps(asdict(identity), sort_keys=True))[:16]}-{name}{INCOMPLETE}"
    folder.mkdir(parents=True, exist_ok=True)
    for path in folder.iterdir():
        if path != begun or not identity.strong:
            remove(path)
    start = begun.stat().st_size if begun.is_file() else 0
    if start != identity.size:
        try:
            start = _append(system, place, identity, begun, start)
        except OtherPartError:
            remove(begun)
            raise
    size = begun.stat().st_size
    if identity.size is not None and size != identity.size:
        if size > identity.size:
            remove(begun)
        raise OSError(f"it broke off after {size:,} of {identity.size:,} bytes")
    return begun, start


def _append(system: Any, place: str, identity: Identity, begun: Path, start: int) -> int:
    """Write the file from `start` on behind what was begun; from where on it was given, which may be 0."""
    with _opened(system, place, identity, start) as source:
        reply = getattr(source, "r", None)  # of a web server, which may know no ranges
        if reply is None:
            source.seek(start)
        elif reply.status != 206:
            start = 0
        elif not reply.headers.get("Content-Range", "").startswith(f"bytes {start}-"):
            raise OtherPartError("the server gives another part of the file than was asked for")
        with begun.open("ab" if start else "wb") as file:
            while part := source.read(_AT_ONCE):
                file.write(part)
    return start


def _opened(system: Any, place: str, identity: Identity, start: int) -> Any:
    """The file there; of a web server the rest of it is asked for, if it is still the same."""
    from aiohttp import ClientResponseError
    from fsspec.implementations.http import HTTPFileSystem

    if not isinstance(system, HTTPFileSystem):
        return system.open(place, "rb")
    headers = dict(WHOLE)
    if start:
        headers |= {"Range": f"bytes={start}-"}
        headers |= {"If-Range": identity.validator} if identity.validator else {}
    try:
        # A block of no size is a stream; a size is named so that it is not asked for once more.
        return system.open(place, block_size=0, size=identity.size or 1, headers=headers)
    except ClientResponseError as error:
        if error.status == 416 and start:
            raise OtherPartError("the server has no such part of the file") from None
        raise

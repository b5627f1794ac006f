"""Copies of files at addresses that fsspec knows: fetched where they have changed, whole or not at all."""

import errno
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from typing import Any, TypeVar
from urllib.parse import urlsplit, urlunsplit

from deploy.atomic import replacing, write_json
from deploy.files import read_json, sha256_of, text_sha256
from tasks.errors import ChecksumError, DownloadError, SourceError

T = TypeVar("T")
TRIES = 4
SILENT_SECONDS = 60.0  # of a server, until it counts as gone
_PASSING = (408, 425, 429)  # of the refusals those that are not for ever
_OWN_DISK = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS)
WAIT_SECONDS = 1.0  # before the second try; twice as long before each further one
# What tells that a file is the one that was fetched, as storages call it.
_MARKS = (
    "ETag",
    "etag",
    "Last-Modified",
    "LastModified",
    "mtime",
    "updated",
    "md5Hash",
    "Content-MD5",
    "Digest",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """The copy of a file, and its checksum."""

    path: Path
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Note:
    """What was known of the file when it was fetched."""

    sha256: str
    size: int
    marks: dict[str, str]


def fetched(
    url: str, sha256: str | None, *, cache: Path, sleep: Callable[[float], None] = time.sleep
) -> Copy:
    """The copy of the file at `url` below `cache`.

    With a `sha256` nobody is asked once it is there. Without, the address is asked each time, and the file is
    fetched where it does not say that it is the same.

    Raises:
        DownloadError: the address cannot be reached, or breaks off each time.
        ChecksumError: it is another file.
    """
    folder = cache / "sources" / text_sha256(url)[:16]
    path, note = folder / "file" / _name(url), folder / "note.json"
    known = _known(path, note)
    if sha256 and known and known.sha256 == sha256:
        return Copy(path=path, sha256=sha256)
    system, place = _system(url)

    def bring() -> str:
        """Fetch the file unless it is the one that is there; its checksum."""
        said = system.info(place)
        marks = {name: str(said[name]) for name in _MARKS if said.get(name)}
        if known and marks and (known.marks, known.size) == (marks, said.get("size") or known.size):
            print(f"{openly(url)}: unchanged since it was fetched")
            return known.sha256
        with replacing(path) as partial:
            system.get_file(place, str(partial))
            size, found = partial.stat().st_size, sha256_of(partial)
            if size != (said.get("size") or size):
                raise OSError(f"it broke off after {size} of {said['size']} bytes")
            _check(url, found, sha256)
            note.unlink(missing_ok=True)  # it speaks of the old copy
        write_json(note, asdict(_Note(sha256=found, size=size, marks=marks)))
        print(f"{openly(url)}: fetched, {size:,} bytes, sha256 {found}")
        return found

    found = _patiently(url, bring, sleep)
    _check(url, found, sha256)
    return Copy(path=path, sha256=found)


def _name(url: str) -> str:
    """The last part of an address as the name of a file: its ending says what the file holds."""
    name = PurePosixPath(urlsplit(url).path).name[-100:]
    return "file" if name in ("", ".", "..") else name


def openly(url: str) -> str:
    """The address without its query, which may hold a key."""
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc, parts.path, "", ""))


def _known(path: Path, note: Path) -> _Note | None:
    """What was noted of the copy, if it is whole."""
    if not path.is_file() or not note.is_file():
        return None
    try:
        known = read_json(note, _Note, error=SourceError, advice="")
    except SourceError:
        return None  # it is fetched anew
    return known if sha256_of(path) == known.sha256 else None


def _system(url: str) -> tuple[Any, str]:
    """The file system of an address, and the place there.

    Raises:
        SourceError: nothing that is installed knows such addresses.
    """
    import fsspec

    options: dict[str, Any] = {}
    if url.startswith(("http://", "https://")):
        import aiohttp

        # Proxies are those of the environment, as for every other download; a large file may take its time.
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=SILENT_SECONDS, sock_read=SILENT_SECONDS)
        options["client_kwargs"] = {"trust_env": True, "timeout": timeout}
        options["headers"] = {"Accept-Encoding": "identity"}  # a packed file shall stay as it is
    try:
        system, place = fsspec.url_to_fs(url, skip_instance_cache=True, **options)
    except (ImportError, ValueError) as error:
        raise SourceError(f"{openly(url)} cannot be reached: {error}") from None
    return system, place


def _patiently(url: str, do: Callable[[], T], sleep: Callable[[float], None]) -> T:
    """What `do` gives, after some tries where it fails for a reason that may pass."""
    import aiohttp

    wait = WAIT_SECONDS
    for left in range(TRIES - 1, -1, -1):
        try:
            return do()
        except (OSError, aiohttp.ClientError, TimeoutError) as error:
            # fsspec says of whatever keeps it from asking that the file is not found.
            cause = error.__cause__ if isinstance(error.__cause__, Exception) else error
            if getattr(cause, "errno", None) in _OWN_DISK:
                raise
            if not left or _is_final(cause):
                raise DownloadError(
                    f"{openly(url)} could not be fetched ({_said(cause)}); correct the address or try again "
                    "later, or put the file into sources/ and name it with `kind: file`"
                ) from None
            print(f"{openly(url)}: {_said(cause)}; once more in {wait:g} s", flush=True)
        sleep(wait)
        wait *= 2
    raise AssertionError("the last try returns or raises")


def _is_final(error: Exception) -> bool:
    """Whether asking again changes nothing: it is not there, or not for us."""
    if isinstance(error, FileNotFoundError | PermissionError):
        return True
    status = getattr(error, "status", None)
    return isinstance(status, int) and 400 <= status < 500 and status not in _PASSING


def _said(error: Exception) -> str:
    """What went wrong, without the address, whose query may hold a key."""
    if status := getattr(error, "status", None):
        return f"{status} {getattr(error, 'message', '')}".strip()
    if type(error) is OSError:
        return error.strerror or str(error)
    return getattr(error, "strerror", None) or type(error).__name__


def _check(url: str, found: str, wanted: str | None) -> None:
    if wanted and found != wanted:
        raise ChecksumError(
            f"{openly(url)} has the sha256 {found}, and params.yaml names {wanted}; if that file is right, "
            "name its sum"
        )

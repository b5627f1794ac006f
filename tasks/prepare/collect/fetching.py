"""Copies of files at addresses that fsspec knows: fetched where they have changed, whole or not at all."""

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from typing import Any, TypeVar
from urllib.parse import urlsplit, urlunsplit

from deploy.atomic import write_json
from deploy.files import read_json, sha256_of, text_sha256
from tasks.errors import ChecksumError, DownloadError, SourceError
from tasks.machine.disk import OF_DISK
from tasks.prepare.collect.resuming import WHOLE, Identity, OtherPartError, downloaded

T = TypeVar("T")
TRIES = 4
SILENT_SECONDS = 60.0  # of a server, until it counts as gone
_PASSING = (408, 425, 429)  # of the refusals those that are not for ever
WAIT_SECONDS = 1.0  # before the second try; twice as long before each further one


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
    fetched where it does not say that it is the same. One process fetches at a time.

    Raises:
        DownloadError: the address cannot be reached, or breaks off each time.
        ChecksumError: it is another file.
    """
    folder = cache / "sources" / text_sha256(url)[:16]
    path, note = folder / "file" / _name(url), folder / "note.json"
    with _alone(folder, url):
        known = _known(path, note)
        if sha256 and known and known.sha256 == sha256:
            return Copy(path=path, sha256=sha256)
        system, place = _system(url)

        def bring() -> str:
            """Fetch the file unless it is the one that is there; its checksum."""
            identity = Identity.of(system.info(place))
            if known and identity.marks == known.marks != {} and identity.size in (known.size, None):
                print(f"{openly(url)}: unchanged since it was fetched")
                return known.sha256
            whole, before = downloaded(system, place, identity, folder / "begun", path.name)
            size, found = whole.stat().st_size, sha256_of(whole)
            if sha256 and found != sha256:
                whole.unlink()
                raise _another(url, found, sha256)
            path.parent.mkdir(exist_ok=True)
            note.unlink(missing_ok=True)  # it speaks of the old copy
            whole.replace(path)
            write_json(note, asdict(_Note(sha256=found, size=size, marks=identity.marks)))
            told = f" ({before:,} of them before)" if before else ""
            print(f"{openly(url)}: fetched, {size:,} bytes{told}, sha256 {found}")
            return found

        found = _patiently(url, bring, sleep)
    if sha256 and found != sha256:
        raise _another(url, found, sha256)
    return Copy(path=path, sha256=found)


@contextmanager
def _alone(folder: Path, url: str) -> Iterator[None]:
    """Hold the folder, so that no other process writes to the same download."""
    folder.mkdir(parents=True, exist_ok=True)
    opened = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print(f"{openly(url)}: another run fetches it; this one waits", flush=True)
            fcntl.flock(opened, fcntl.LOCK_EX)
        yield
    finally:
        os.close(opened)


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
        options["headers"] = WHOLE
    try:
        system, place = fsspec.url_to_fs(url, skip_instance_cache=True, **options)
    except (ImportError, ValueError) as error:
        raise SourceError(f"{openly(url)} cannot be reached: {error}") from None
    return system, place


def _patiently(url: str, do: Callable[[], T], sleep: Callable[[float], None]) -> T:
    """What `do` gives, after some tries where it fails for a reason that may pass."""
    wait = WAIT_SECONDS
    for left in range(TRIES - 1, -1, -1):
        try:
            return do()
        except Exception as error:
            if not (isinstance(error, OSError) or _is_of_a_client(error)):
                raise
            # fsspec says of whatever keeps it from asking that the file is not found.
            cause = error.__cause__ if isinstance(error.__cause__, Exception) else error
            if getattr(cause, "errno", None) in OF_DISK:
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


def _is_of_a_client(error: Exception) -> bool:
    """Whether a library raised one of its own: each storage has a client, and hardly one says OSError."""
    return type(error).__module__.partition(".")[0] not in ("builtins", "deploy", "tasks")


def _is_final(error: Exception) -> bool:
    """Whether asking again changes nothing: it is not there, not for us, or no file."""
    if isinstance(error, FileNotFoundError | PermissionError | IsADirectoryError):
        return True
    status = getattr(error, "status", None)
    return isinstance(status, int) and 400 <= status < 500 and status not in _PASSING


def _said(error: Exception) -> str:
    """What went wrong, without the address, whose query may hold a key."""
    if status := getattr(error, "status", None):
        return f"{status} {getattr(error, 'message', '')}".strip()
    if isinstance(error, OtherPartError):
        return str(error)
    if type(error) is OSError:
        return error.strerror or str(error)
    return getattr(error, "strerror", None) or type(error).__name__


def _another(url: str, found: str, wanted: str) -> ChecksumError:
    return ChecksumError(
        f"{openly(url)} has the sha256 {found}, and params.yaml names {wanted}; if that file is right, "
        "name its sum"
    )

"""Which releases there are, which of them is live, and which were withdrawn.

`.threeply/releases/<id>/` is a release, `current` beside them a link to the one that is served. The link is
replaced in one step, so a server that opens it finds the old release or the new one. `history.json` has the
releases in the order in which runs made them live, and why one was withdrawn: no run puts that one forward
again. Where the file and the link differ, after a crash, the link is right.
"""

import contextlib
import fcntl
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from deploy.atomic import remove, write_json
from deploy.errors import BundleError
from deploy.files import read_json
from deploy.manifest import read_manifest
from deploy.server.holding import Hold, unheld
from flows.errors import ReleaseError

RELEASES = Path(".threeply/releases")
CURRENT = RELEASES / "current"
HISTORY = RELEASES / "history.json"
KEPT = 3  # complete releases; partial ones do not count


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A release: when it last went live (ISO 8601, empty if unknown), and why it was withdrawn, if it was."""

    release: str
    live: str = ""
    withdrawn: str = ""


@contextmanager
def changing(root: Path) -> Iterator[None]:
    """Keep others from changing what is live until the block ends; one inside of another waits for ever."""
    (root / RELEASES).mkdir(parents=True, exist_ok=True)
    opened = os.open(root / RELEASES, os.O_RDONLY | os.O_DIRECTORY)
    try:
        with contextlib.suppress(OSError):  # the files lie on what knows no locks
            fcntl.flock(opened, fcntl.LOCK_EX)
        yield
    finally:
        os.close(opened)


def current(root: Path) -> str | None:
    """The name of the release that is served, if there is one."""
    link = root / CURRENT
    return link.resolve().name if link.is_symlink() and link.exists() else None


def entries(root: Path) -> tuple[Entry, ...]:
    """The releases in the order in which runs made them live; of those that are gone the withdrawn ones.

    Raises:
        ReleaseError: the file is damaged.
    """
    path, now = root / HISTORY, current(root)
    advice = "delete it: when releases went live is then unknown, and withdrawn ones may go live again"
    written = read_json(path, list[Entry], error=ReleaseError, advice=advice) if path.exists() else []
    there = set(_folders(root))
    unknown = sorted(there - {entry.release for entry in written})
    return (
        *(Entry(release=name) for name in unknown if name != now),
        *(entry for entry in written if entry.withdrawn or entry.release in there),
        *(Entry(release=name) for name in unknown if name == now),
    )


def kept(root: Path) -> tuple[Entry, ...]:
    """The releases that can be gone back to, oldest first."""
    there = set(_folders(root))
    return tuple(entry for entry in entries(root) if entry.release in there)


def before(root: Path) -> str | None:
    """The release that `current` goes back to: the last before it that was not withdrawn, if there is one."""
    found, now = kept(root), current(root)
    names = [entry.release for entry in found]
    older = found[: names.index(now)] if now in names else ()
    return next((entry.release for entry in reversed(older) if not entry.withdrawn), None)


def refusal(root: Path, name: str) -> str:
    """Why a run does not release `name`, in a sentence; empty where it may."""
    now = current(root)
    why = next((entry.withdrawn for entry in entries(root) if entry.release == name), "")
    if not why or name == now:
        return ""
    return (
        f"{name} is not released again, for it was withdrawn ({why}); "
        f"{f'{now} serves on' if now else 'nothing is live'}. threeply rollback --to {name} releases it"
    )


def go_live(root: Path, name: str) -> None:
    """`current` points at the release `name`, which is the newest from now on."""
    older = [entry for entry in entries(root) if entry.release != name]
    point(root / CURRENT, root / RELEASES / name)
    _write(root, [*older, Entry(release=name, live=_now())])


def choose(root: Path, name: str) -> tuple[str, ...]:
    """`current` points at the release `name`, and what is newer is withdrawn; the names of what was not yet.

    Written down first: if this process is killed in between, no run puts a newer one forward again.
    """
    found = entries(root)
    at = [entry.release for entry in found].index(name)
    newer = [replace(one, withdrawn=one.withdrawn or f"gone back to {name}") for one in found[at + 1 :]]
    _write(root, [*found[:at], Entry(release=name, live=_now()), *newer])
    point(root / CURRENT, root / RELEASES / name)
    return tuple(entry.release for entry in found[at + 1 :] if not entry.withdrawn)


def withdraw_release(root: Path, name: str, why: str) -> None:
    """Write down that no run may release `name` again; what is live stays."""
    found = entries(root)
    _write(root, [replace(one, withdrawn=why) if one.release == name else one for one in found])


def prune(root: Path) -> None:
    """Delete what is not kept, and what killed processes have left.

    Kept are the last three complete releases, the one that is live, and the one that it goes back to. What is
    withdrawn does not count and goes, and so do partial releases. What a server of this machine loads or
    serves stays until a later release.
    """
    good = [one.release for one in kept(root) if not one.withdrawn and _complete(root, one.release)]
    keep = {*good[-KEPT:], current(root), before(root)}
    for path in (root / RELEASES).iterdir():
        if path.is_dir() and not path.is_symlink():
            if path.name not in keep:
                with unheld(path) as free:
                    if free:
                        remove(path)
        elif path.name.startswith("."):  # a link or a file that had not got its name
            remove(path)


@contextmanager
def workspace(root: Path) -> Iterator[Path]:
    """A folder to make a release in; it goes with the block or, if that is killed, with the next `prune`."""
    with changing(root):
        made = Path(tempfile.mkdtemp(prefix=".making-", dir=root / RELEASES))
        hold = Hold(made)
    try:
        yield made
    finally:
        remove(made)
        del hold


def point(link: Path, folder: Path) -> None:
    """Make `link` point at `folder`, its neighbour, in one step."""
    fresh = link.with_name(f".{link.name}.{os.getpid()}")
    fresh.unlink(missing_ok=True)
    fresh.symlink_to(folder.name)
    fresh.replace(link)


def _folders(root: Path) -> list[str]:
    """The names of the releases that are there."""
    found = (root / RELEASES).iterdir() if (root / RELEASES).is_dir() else ()
    return [path.name for path in found if path.is_dir() and not path.is_symlink() and path.name[0] != "."]


def _complete(root: Path, name: str) -> bool:
    try:
        return not read_manifest(root / RELEASES / name).partial
    except BundleError:  # nobody can go back to it
        return False


def _write(root: Path, found: list[Entry]) -> None:
    there = set(_folders(root))
    lasting = [one for one in found if one.withdrawn or one.release in there]
    write_json(root / HISTORY, [asdict(one) for one in lasting])


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")

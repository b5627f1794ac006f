"""A bundle on its way to being served: copied, verified and asked before `current` points at it.

`.threeply/releases/<id>/` holds a copy of a bundle, `.threeply/releases/current` is a link to one of them.
The link is replaced in one step, so a server that opens it finds the old bundle or the new one. The release
before is kept for going back.
"""

import os
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from deploy.atomic import remove, replacing
from deploy.manifest import digest
from flows.errors import ReleaseError
from flows.process import run_command
from flows.stage import sentence

RELEASES = Path(".threeply/releases")
CURRENT = RELEASES / "current"
BUNDLE = Path("data/bundle")
MAKING = ".making"
ROW = "release"  # of the board, below the stages
SMOKE_SECONDS = 600.0  # a whole server is started; a busy machine takes minutes


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseCandidate:
    """A copy of a bundle on its way to being served."""

    root: Path
    folder: Path

    def verify(self) -> str:
        """Every file is the one that the manifest names."""
        from deploy.bundle import verify_bundle

        verify_bundle(self.folder)
        return "every file has the checksum of the manifest"

    def ask(self) -> str:
        """It answers a question, in a process that does what a server does.

        Raises:
            ReleaseError: the process failed or took too long.
        """
        said: list[str] = []
        ended = run_command(
            [sys.executable, "-m", "flows.smoke", str(self.folder.resolve())],
            cwd=self.root,
            on_line=said.append,
            timeout=SMOKE_SECONDS,
        )
        if ended.timed_out:
            raise ReleaseError(f"the bundle gave no answer within {SMOKE_SECONDS:g} s; it is not released")
        if ended.code:
            reason = sentence(ended.lines) or (said[-1] if said else "no output")
            raise ReleaseError(f"the bundle does not answer: {reason}; it is not released")
        return said[-1] if said else ""

    def publish(self) -> str:
        """`current` points at it."""
        point(self.root / CURRENT, self.folder)
        return f"{CURRENT} is now {self.folder.name}"


def identity(bundle: Path) -> str:
    """The name of a release: a hash of the manifest, which holds a hash of each file.

    Raises:
        ReleaseError: there is no bundle.
    """
    try:
        return digest(bundle)[:12]
    except OSError as error:
        raise ReleaseError(
            f"{bundle} is no bundle ({error.filename}: {error.strerror}); make one with threeply run"
        ) from None


def current(root: Path) -> str | None:
    """The name of the release that is served, if there is one."""
    link = root / CURRENT
    return link.resolve().name if link.is_symlink() and link.exists() else None


def _copy(bundle: Path, place: Path) -> None:
    shutil.copytree(bundle, place, copy_function=shutil.copyfile)


@contextmanager
def candidate(
    root: Path, bundle: Path, *, take: Callable[[Path, Path], object] = _copy
) -> Iterator[ReleaseCandidate]:
    """A copy of `bundle` to check and publish; if that fails, all is as it was before.

    `take` brings the bundle to the place that it is given.
    """
    name, before = identity(bundle), current(root)
    folder = root / RELEASES / name
    with replacing(folder) as partial:
        take(bundle, partial)
    try:
        yield ReleaseCandidate(root=root, folder=folder)
    except BaseException:
        if before is not None and current(root) != before:
            point(root / CURRENT, root / RELEASES / before)
        if before is None:
            (root / CURRENT).unlink(missing_ok=True)
        if name != before:
            remove(folder)
        raise
    for old in (root / RELEASES).iterdir():
        if old.name not in (name, before, CURRENT.name):
            remove(old)


@contextmanager
def making(root: Path) -> Iterator[Path]:
    """Where to write a bundle that is then moved to its release; what is left there goes with the block."""
    place = root / RELEASES / MAKING
    place.parent.mkdir(parents=True, exist_ok=True)
    remove(place)
    try:
        yield place
    finally:
        remove(place)


def point(link: Path, folder: Path) -> None:
    """Make `link` point at `folder`, its neighbour, in one step."""
    fresh = link.with_name(f".{link.name}.{os.getpid()}")
    fresh.unlink(missing_ok=True)
    fresh.symlink_to(folder.name)
    fresh.replace(link)

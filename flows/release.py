"""A bundle on its way to being served: copied, verified and asked before `current` points at it.

What is live, and what was, is in `flows/history.py`.
"""

import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from deploy.atomic import remove
from deploy.errors import BundleError
from deploy.manifest import digest
from flows.errors import ReleaseError
from flows.history import CURRENT, RELEASES, changing, current, go_live, point, prune, workspace
from flows.process import run_command
from flows.stage import sentence

BUNDLE = Path("data/bundle")
ROW = "release"  # of the board, below the stages
SMOKE_SECONDS = 600.0  # a whole server is started; a busy machine takes minutes
NAME_LENGTH = 12  # characters of a manifest's sha256 that name its release


@dataclass(slots=True, kw_only=True)
class ReleaseCandidate:
    """A copy of a bundle, in a `folder` of its own until it goes live as the release `name`."""

    root: Path
    name: str
    folder: Path
    undo: Callable[[], None] | None = None  # of `publish`, once it has begun

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
        """`current` points at it.

        A release of the same content that is whole stays as it is: a server may be reading it.
        """
        with changing(self.root):
            place, before = self.root / RELEASES / self.name, current(self.root)
            fresh = not _whole(place)

            def undo() -> None:
                if current(self.root) == self.name:  # and nobody has chosen another one since
                    _point_back(self.root, before)
                if fresh:
                    remove(place)

            self.undo = undo
            if fresh:
                remove(place)
                self.folder.rename(place)
            go_live(self.root, self.name)
        return f"{CURRENT} is now {self.name}"


def identity(bundle: Path) -> str:
    """The name of a release: a hash of the manifest, which holds a hash of each file.

    Raises:
        ReleaseError: there is no bundle.
    """
    try:
        return digest(bundle)[:NAME_LENGTH]
    except OSError as error:
        raise ReleaseError(
            f"{bundle} is no bundle ({error.filename}: {error.strerror}); make one with threeply run"
        ) from None


def _copy(bundle: Path, place: Path) -> None:
    shutil.copytree(bundle, place, copy_function=shutil.copyfile)


@contextmanager
def candidate(
    root: Path, bundle: Path, *, take: Callable[[Path, Path], object] = _copy
) -> Iterator[ReleaseCandidate]:
    """A copy of `bundle` to check and publish; if that fails, all is as it was before.

    `take` brings the bundle to the place that it is given.
    """
    with workspace(root) as own:
        new = ReleaseCandidate(root=root, name=identity(bundle), folder=own / BUNDLE.name)
        try:
            take(bundle, new.folder)
            yield new
        except BaseException:
            if new.undo is not None:
                with changing(root):
                    new.undo()
            raise
    with changing(root):
        prune(root)


@contextmanager
def making(root: Path) -> Iterator[Path]:
    """Where to write a bundle that is then moved to its release; what is left there goes with the block."""
    with workspace(root) as own:
        yield own / BUNDLE.name


def _point_back(root: Path, before: str | None) -> None:
    if before is None:
        (root / CURRENT).unlink()
    else:
        point(root / CURRENT, root / RELEASES / before)


def _whole(folder: Path) -> bool:
    """Whether the release in `folder` is there, with every file as its manifest says."""
    from deploy.bundle import verify_bundle

    try:
        verify_bundle(folder)
    except BundleError:
        return False
    return True

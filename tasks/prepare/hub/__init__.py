"""Repositories of the Hugging Face hub: what lies in them, and copies of it, by the hub's own client."""

import contextlib
import hashlib
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Literal

from deploy.files import sha256_of
from tasks.errors import DownloadError
from tasks.machine.disk import OF_DISK
from tasks.machine.progress import Progress

_CLIENT = Path(__file__).with_name("client.py")
_COMMIT = re.compile(r"[0-9a-f]{40}")
_AT_ONCE = 2**20


@dataclass(frozen=True, slots=True)
class Repository:
    """A repository at a branch, a tag or a commit."""

    kind: Literal["model", "dataset"]
    name: str
    revision: str

    @property
    def pinned(self) -> bool:
        """Whether the revision names one state for ever."""
        return _COMMIT.fullmatch(self.revision) is not None

    def __str__(self) -> str:
        """As messages name it."""
        return f"{self.name}@{self.revision}"


@dataclass(frozen=True, slots=True, kw_only=True)
class HubFile:
    """A file, as far as the hub tells which it is: large ones have a `sha256`, small ones a `blob` of git."""

    name: str
    size: int | None = None
    sha256: str | None = None
    blob: str | None = None

    def is_at(self, path: Path) -> bool:
        """Whether a whole copy lies there."""
        if not path.is_file() or (self.size is not None and path.stat().st_size != self.size):
            return False
        if self.sha256:
            return sha256_of(path) == self.sha256
        return self.blob is None or _blob(path) == self.blob


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """What a repository held at a commit."""

    commit: str
    files: tuple[HubFile, ...]


def listed(repository: Repository, *, instead: str) -> Listing:
    """The commit that the revision means now, and the files there. `instead` is what else a user can do.

    Raises:
        DownloadError: the hub cannot be reached, or has no such repository or revision, or not for us.
    """
    answers: list[dict[str, Any]] = []
    _ask(repository, {}, instead, answers.append)
    (told,) = answers
    files = tuple(HubFile(**file) for file in told["files"])
    if wrong := [file.name for file in files if not _stays_inside(PurePosixPath(file.name))]:
        raise DownloadError(
            f"the {repository.kind} {repository} lists {wrong[0]!r}, which is no file of its own"
        )
    return Listing(commit=told["commit"], files=files)


def bring(repository: Repository, files: Sequence[HubFile], into: Path, *, instead: str) -> None:
    """See to it that whole copies of the files lie below the folder; a broken download is gone on with.

    Raises:
        DownloadError: as `listed`; or what came is not what the hub has listed.
    """
    missing = {file.name: file for file in files if not file.is_at(into / file.name)}
    if not missing:
        return
    for name in missing:
        (into / name).unlink(missing_ok=True)  # the client would take a damaged one for whole
    into.mkdir(parents=True, exist_ok=True)
    progress = Progress(len(missing), "files")
    done = 0

    def check(told: dict[str, Any]) -> None:
        nonlocal done
        file = missing[told["file"]]
        if not file.is_at(into / file.name):
            (into / file.name).unlink(missing_ok=True)
            raise DownloadError(
                f"{file.name} of the {repository.kind} {repository} came from the hub with another size or "
                f"checksum than the hub has listed; try again, or {instead}"
            )
        done += 1
        progress.update(done)

    _ask(repository, {"files": list(missing), "into": str(into)}, instead, check)


def _ask(
    repository: Repository, wish: dict[str, Any], instead: str, hear: Callable[[dict[str, Any]], None]
) -> None:
    """Have `hear` hear what the client answers, while it does."""
    place = {"kind": repository.kind, "name": repository.name, "revision": repository.revision}
    speaking = {"HF_HUB_OFFLINE": "0", "HF_HUB_DISABLE_TELEMETRY": "1", "HF_HUB_DISABLE_PROGRESS_BARS": "1"}
    with subprocess.Popen(
        [sys.executable, "-P", str(_CLIENT)],
        env={**os.environ, **speaking},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as client:
        assert client.stdin is not None
        assert client.stdout is not None
        try:
            with contextlib.suppress(BrokenPipeError), client.stdin as wishes:
                wishes.write(json.dumps({**place, **wish}))
            for line in client.stdout:
                told = json.loads(line)
                if "failed" in told:
                    raise _error(repository, told, instead)
                hear(told)
        except BaseException:
            client.kill()
            raise
    if client.returncode:
        raise _error(repository, {"failed": "broken", "said": "its client has failed"}, instead)


def _error(repository: Repository, told: dict[str, Any], instead: str) -> Exception:
    """What to tell a person, with the next step."""
    number = told.get("errno")
    if number in OF_DISK:
        return OSError(number, os.strerror(number))
    kind = repository.kind
    login = "HF_TOKEN or `hf auth login`"  # where the client itself looks for it
    match told["failed"]:
        case "repository":
            why = (
                f"there is no such {kind}, or none for everybody; correct its id, or give a token by {login}"
            )
        case "revision":
            why = f"it has no revision {repository.revision!r}; name a branch, a tag or a commit of it"
        case "gated":
            why = f"it is gated; accept its terms on its page, and give a token that may read it by {login}"
        case "refused":
            why = f"{told['said']}; give a token that may read it by {login}"
        case _:
            why = f"{told['said']}; try again later"
    return DownloadError(f"the {kind} {repository} could not be fetched from the hub: {why}; or {instead}")


def _stays_inside(path: PurePosixPath) -> bool:
    return not path.is_absolute() and ".." not in path.parts


def _blob(path: Path) -> str:
    """The name that git has for the content of a file."""
    told = hashlib.sha1(f"blob {path.stat().st_size}\0".encode(), usedforsecurity=False)
    with path.open("rb") as file:
        while part := file.read(_AT_ONCE):
            told.update(part)
    return told.hexdigest()

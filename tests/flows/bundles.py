"""Bundles of one file: enough to be released, verified and gone back to, and nothing that answers."""

from collections.abc import Sequence
from pathlib import Path

from deploy.atomic import remove
from deploy.manifest import Manifest, describe_files, write_manifest
from flows.release import BUNDLE, candidate


def made(root: Path, text: str, *, models: Sequence[str] = ("base", "sft"), partial: bool = False) -> Path:
    """The bundle of `root`, made anew with `text` in it."""
    folder = root / BUNDLE
    remove(folder)
    folder.mkdir(parents=True)
    (folder / "note.txt").write_text(text, encoding="utf-8")
    manifest = Manifest(
        name="small",
        models=tuple(models),
        files=describe_files(folder),
        versions={},
        lineage={},
        gate={},
        ledger={},
        partial=partial,
    )
    write_manifest(folder, manifest)
    return folder


def released(
    root: Path, text: str, *, models: tuple[str, ...] = ("base", "sft"), partial: bool = False
) -> str:
    """The name of a release of such a bundle, live now."""
    with candidate(root, made(root, text, models=models, partial=partial)) as new:
        new.publish()
    return new.name

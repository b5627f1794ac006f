"""Small bundles and their releases: of one file, enough to be gone back to, and of tiny real models."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from deploy.atomic import remove
from deploy.bundle import BundledSettings, write_bundle
from deploy.manifest import Manifest, describe_files, write_manifest
from flows.release import BUNDLE, candidate
from tests.conftest import small_settings, write_tiny_index


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
    return _live(root, made(root, text, models=models, partial=partial))


def released_models(
    root: Path, name: str, *, base: Path, embedder: Path, adapters: Mapping[str, Path]
) -> str:
    """The name of a release of a bundle called `name` with these models, which answers; live now."""
    return _live(root, of_models(root, name, base=base, embedder=embedder, adapters=adapters, tokens=24))


def of_models(
    root: Path,
    name: str,
    *,
    base: Path,
    embedder: Path,
    adapters: Mapping[str, Path] = MappingProxyType({}),
    tokens: int = 4,
) -> Path:
    """The bundle of `root`, made anew of one document and these models; answers have `tokens` at most."""
    remove(root / BUNDLE)
    remove(root / "index")
    write_tiny_index(root / "index", embedder, {"svm.SVC": "C=1.0 : float"})
    settings = small_settings()
    write_bundle(
        root / BUNDLE,
        name=name,
        base=base,
        embedder=embedder,
        knowledge=root / "index",
        adapters=adapters,
        settings=BundledSettings(
            precision="float32",
            retrieval=settings.retrieval,
            prompt=settings.prompt,
            generation=settings.generation.model_copy(update={"max_new_tokens": tokens}),
        ),
        gate={},
        ledger={},
    )
    return root / BUNDLE


def _live(root: Path, bundle: Path) -> str:
    with candidate(root, bundle) as new:
        new.publish()
    return new.name

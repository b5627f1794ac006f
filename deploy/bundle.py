"""The bundle: one folder with all three layers, checked file by file before anything of it is loaded.

manifest.json    what each file must be, and what the bundle was made from
settings.json    retrieval, prompt and generation, as they were measured
base/            the base model and its tokenizer
adapters/NAME/   what fine-tuning adds to it
embedder/        the sentence encoder, and in `query_encoder` and `reranker` what was trained
                 from it, if it was
knowledge/       the knowledge store
prompts/         the prompt templates
data-card.md     where the data comes from that it was made with, if its run had told by then
"""

import shutil
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from deploy.adapters.reading import adapter_files
from deploy.assistant import Assistant
from deploy.atomic import write_json
from deploy.engines.abstaining import Abstaining
from deploy.engines.engine import MOST_ROWS
from deploy.engines.precision import Precision
from deploy.errors import BundleError
from deploy.files import read_json, sha256_of
from deploy.manifest import Manifest, describe_files, read_manifest, verify, write_manifest
from deploy.prompts.template import PromptTemplate, load_template, read_template, template_path
from deploy.settings import GenerationSettings, PromptSettings, RetrievalSettings, Section
from deploy.signature import check_signature, sign

SETTINGS = "settings.json"
CARD = "data-card.md"
PLAIN = "plain"
PACKAGES = (
    "torch", "transformers", "peft", "sentence-transformers", "faiss-cpu", "bm25s", "jinja2", "threeply"
)  # fmt: skip


def _with_weight(value: Any) -> Any:
    """The rule of a bundle from before coverage was weighed: a bare threshold."""
    bare = isinstance(value, (int, float)) and not isinstance(value, bool)
    return {"threshold": value, "coverage_weight": 0.0} if bare else value


def _with_fusion(value: Any) -> Any:
    """How a bundle searches that was made when scores alone could be mixed."""
    return {"fusion": "scores", **value} if isinstance(value, dict) else value


class BundledSettings(Section):
    """What a bundle answers with: the values that its ledger was measured under."""

    precision: Precision
    retrieval: Annotated[RetrievalSettings, BeforeValidator(_with_fusion)]
    prompt: PromptSettings
    generation: GenerationSettings
    # At most so many words of a document that is added while the bundle is served; as its own were cut.
    chunk_words: int = 32
    # Of each model when it abstains; one without says what is likeliest.
    abstention: dict[str, Annotated[Abstaining, BeforeValidator(_with_weight)]] = Field(default_factory=dict)


def write_bundle(
    folder: Path,
    *,
    name: str,
    base: Path,
    embedder: Path,
    knowledge: Path,
    adapters: Mapping[str, Path],
    settings: BundledSettings,
    gate: Mapping[str, Any],
    ledger: Mapping[str, Any],
    card: Path | None = None,
    partial: bool = False,
    project: Path = Path(),
    signing_key: Path | None = None,
) -> Manifest:
    """Fill `folder` with copies of everything and describe it; the manifest that was written.

    `card` tells of the data that it was made with. A template of the user's own is looked for below
    `project`. With the private key in the file `signing_key` the bundle is signed.

    Raises:
        BundleError: a part is missing, or holds a file that a bundle never does; or the key is none.
        PromptError: there is no such template.
    """
    folder.mkdir(parents=True)
    parts = {"base": base, "embedder": embedder, "knowledge": knowledge}
    for part, source in parts.items():
        _copy_folder(source, folder / part)
    for adapter, source in adapters.items():
        _copy(source, folder / "adapters" / adapter, adapter_files(source))
    for template in sorted({settings.prompt.template, PLAIN}):
        load_template(template, project)  # to be sure that it can be before it is shipped
        path = template_path(template, project)
        _copy(path.parent, folder / "prompts", [path.name])
    if card is not None:
        _copy_file(card, folder / CARD)
    # In the bundle a template of the user's own is one by its name, like all others.
    named = PromptSettings(template=template_path(settings.prompt.template).stem)
    shipped = settings.model_copy(update={"prompt": named})
    write_json(folder / SETTINGS, shipped.model_dump(mode="json"))
    lineage = {**parts, **{f"adapters/{adapter}": source for adapter, source in adapters.items()}}
    manifest = Manifest(
        name=name,
        models=("base", *adapters),
        files=describe_files(folder),
        versions={package: version(package) for package in PACKAGES},
        lineage={part: sha256_of(source) for part, source in lineage.items()},
        gate=gate,
        ledger=ledger,
        partial=partial,
    )
    write_manifest(folder, manifest)
    if signing_key is not None:
        sign(folder, signing_key)
    return manifest


def verify_bundle(folder: Path, public_key: Path | None = None) -> Manifest:
    """The manifest of the bundle in `folder`, once every file of it has been checked.

    With a `public_key` it has to be signed with the other half of it.

    Raises:
        BundleError: a file is missing, damaged, added, or of a kind never loaded; or it is not signed.
    """
    if public_key is not None:
        check_signature(folder, public_key)
    manifest = read_manifest(folder)
    verify(folder, manifest)
    return manifest


def load_bundle(folder: Path) -> Assistant:
    """An assistant with all models and all layers of the bundle, after checking every file.

    Raises:
        BundleError: the bundle is not whole.
        EngineError, KnowledgeError, PromptError: a part of it cannot be loaded.
    """
    return load_verified(folder, verify_bundle(folder))


def load_verified(
    folder: Path, manifest: Manifest, *, most_rows: int = MOST_ROWS, documents: Path | None = None
) -> Assistant:
    """What `load_bundle` gives, for a bundle that `verify_bundle` has just checked.

    Streams of `most_rows` requests are answered at once. With a folder `documents`, what lies there is known
    as well, and can be changed (`Assistant.knowledge`).
    """
    from deploy.documents.live import LiveKnowledge
    from deploy.engines.local import TransformersEngine
    from deploy.engines.precision import choose_device
    from deploy.knowledge.store import open_knowledge

    settings = read_settings(folder)
    device, dtype = choose_device(settings.precision)
    store = open_knowledge(folder / "knowledge", folder / "embedder", settings.retrieval)
    return Assistant(
        TransformersEngine(
            folder / "base",
            {name: folder / "adapters" / name for name in manifest.models if name != "base"},
            dtype=dtype,
            device=device,
            most_rows=most_rows,
            abstention=settings.abstention,
        ),
        store if documents is None else LiveKnowledge(store, documents, chunk_words=settings.chunk_words),
        _prompt(folder, settings.prompt.template),
        settings.generation,
        plain=_prompt(folder, PLAIN),
    )


def read_settings(folder: Path) -> BundledSettings:
    """The settings that the bundle in `folder` answers with."""
    return read_json(folder / SETTINGS, BundledSettings, error=BundleError, advice="run dvc repro bundle")


def _prompt(folder: Path, name: str) -> PromptTemplate:
    return read_template(folder / "prompts" / f"{name}.prompty")


def _copy_folder(source: Path, target: Path) -> None:
    """Copy every file below `source`; names with a leading dot belong to version control and stay behind."""
    files = [
        path.relative_to(source).as_posix()
        for path in sorted(source.rglob("*"))
        if path.is_file() and not any(part.startswith(".") for part in path.relative_to(source).parts)
    ]
    if not files:
        raise BundleError(f"{source} holds no files; run dvc repro bundle, which makes what is missing")
    _copy(source, target, files)


def _copy(source: Path, target: Path, names: Sequence[str]) -> None:
    """Copy files byte by byte: linked ones could be changed from the other side of the link."""
    for name in names:
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        _copy_file(source / name, target / name)


def _copy_file(source: Path, target: Path) -> None:
    try:
        shutil.copyfile(source, target)
    except FileNotFoundError:
        raise BundleError(
            f"{source} is not there; run dvc repro bundle, which makes what is missing"
        ) from None

"""A bundle of the layers that are ready while the rest of the chain is still to run.

It is no stage: nothing depends on it, and as an output of DVC it would be copied once more.
"""

from pathlib import Path
from typing import Any

from deploy.bundle import BundledSettings, write_bundle
from deploy.files import read_json
from deploy.manifest import Manifest
from deploy.settings import GenerationSettings, PromptSettings, RetrievalSettings
from tasks.errors import SourceError
from tasks.evaluation.thresholds import read_thresholds
from tasks.machine.settings import RunSettings
from tasks.prepare.settings import IndexSettings
from tasks.release.settings import BundleSettings


def write_partial(
    folder: Path,
    *,
    base: Path,
    embedder: Path,
    knowledge: Path,
    sft: Path | None,
    thresholds: Path | None,
    gate: Path,
    project: Path,
    run: RunSettings,
    retrieval: RetrievalSettings,
    prompt: PromptSettings,
    generation: GenerationSettings,
    indexing: IndexSettings,
    settings: BundleSettings,
) -> Manifest:
    """Fill `folder` with the base model, the knowledge and the prompts, and with `sft` if it is given.

    `thresholds` is what the stage `calibrate` has written, if it has. A template of the user's own is looked
    for below `project`. The manifest says that the bundle is partial, and has no ledger.

    Raises:
        SourceError, BundleError: a part is missing or damaged.
        PromptError: there is no such template.
    """
    adapters = {} if sft is None else {"sft": sft}
    chosen = {} if thresholds is None else read_thresholds(thresholds)
    return write_bundle(
        folder,
        name=settings.name,
        base=base,
        embedder=embedder,
        knowledge=knowledge,
        adapters=adapters,
        settings=BundledSettings(
            precision=run.precision,
            retrieval=retrieval,
            prompt=prompt,
            generation=generation,
            chunk_words=indexing.chunk_words,
            abstention={name: threshold for name, threshold in chosen.items() if name in adapters},
        ),
        gate=read_json(gate, dict[str, Any], error=SourceError, advice="run threeply run, which makes it"),
        ledger={},
        partial=True,
        project=project,
        signing_key=settings.signing_key,
    )

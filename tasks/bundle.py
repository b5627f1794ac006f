"""The stage `bundle`: puts model, adapters, knowledge and prompts into one folder that can be verified."""

import json
from pathlib import Path
from typing import Any

from deploy.bundle import BundledSettings, verify_bundle, write_bundle
from deploy.settings import GenerationSettings, PromptSettings, RetrievalSettings
from tasks.errors import SourceError
from tasks.omission import omission
from tasks.reports import Report, write_report
from tasks.settings import BundleSettings, RunSettings


def bundle(
    base: Path,
    embedder: Path,
    knowledge: Path,
    sft: Path,
    rlhf: Path,
    ledger: Path,
    gate: Path,
    *,
    bundle: Path,
    report: Path,
    run: RunSettings,
    retrieval: RetrievalSettings,
    prompt: PromptSettings,
    generation: GenerationSettings,
    settings: BundleSettings,
) -> None:
    """Copy everything that answers into one folder with a manifest of checksums, and verify it."""
    manifest = write_bundle(
        bundle,
        name=settings.name,
        base=base,
        embedder=embedder,
        knowledge=knowledge,
        adapters={name: path for name, path in {"sft": sft, "rlhf": rlhf}.items() if not omission(path)},
        settings=BundledSettings(
            precision=run.precision, retrieval=retrieval, prompt=prompt, generation=generation
        ),
        gate=_json(gate),
        ledger=_json(ledger),
    )
    verify_bundle(bundle)
    size = sum(file.size for file in manifest.files.values())
    print(f"{manifest.name}: {len(manifest.files)} files, {size / 2**20:.0f} MiB, verified")
    figures = {
        "files": len(manifest.files),
        "mib": round(size / 2**20, 1),
        "models": list(manifest.models),
        "lineage": dict(manifest.lineage),
    }
    write_report(report, Report(stage="bundle", figures=figures))


def _json(path: Path) -> dict[str, Any]:
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as error:
        raise SourceError(f"{path} cannot be read: {error}; run dvc repro bundle, which makes it") from None

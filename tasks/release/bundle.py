"""The stage `bundle`: puts model, adapters, knowledge and prompts into one folder that can be verified."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from deploy.bundle import BundledSettings, verify_bundle, write_bundle
from deploy.files import read_json
from deploy.settings import GenerationSettings, PromptSettings, RetrievalSettings
from tasks.errors import GateError, SourceError
from tasks.evaluation.thresholds import read_thresholds
from tasks.machine.settings import RunSettings
from tasks.methods.note import read_note
from tasks.prepare.settings import IndexSettings
from tasks.release.advice import advice
from tasks.release.settings import BundleSettings
from tasks.rows.reports import Report, write_report
from tasks.rows.skipped import skip_reason


def bundle(
    base: Path,
    embedder: Path,
    knowledge: Path,
    sft: Path,
    rlhf: Path,
    thresholds: Path,
    ledger: Path,
    gate: Path,
    card: Path,
    methods: Path | None,
    *,
    bundle: Path,
    report: Path,
    run: RunSettings,
    retrieval: RetrievalSettings,
    prompt: PromptSettings,
    generation: GenerationSettings,
    indexing: IndexSettings,
    settings: BundleSettings,
) -> None:
    """Copy everything that answers into one folder with a manifest of checksums, and verify it.

    `methods` are the figures of the lab, if it has run: they tell what would help a model that is refused.

    Raises:
        GateError: a model has forgotten too much of what is general, or is not served as it was trained.
    """
    measured = _json(ledger)
    check_retention(measured, settings.min_retention, sft=sft, methods=methods)
    check_parity(measured, settings.max_parity_gap)
    manifest = write_bundle(
        bundle,
        name=settings.name,
        base=base,
        embedder=embedder,
        knowledge=knowledge,
        adapters={name: path for name, path in {"sft": sft, "rlhf": rlhf}.items() if not skip_reason(path)},
        settings=BundledSettings(
            precision=run.precision,
            retrieval=retrieval,
            prompt=prompt,
            generation=generation,
            chunk_words=indexing.chunk_words,
            abstention=read_thresholds(thresholds),
        ),
        gate=_json(gate),
        ledger=measured,
        card=card,
        signing_key=settings.signing_key,
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


def check_retention(ledger: Mapping[str, Any], limit: float, *, sft: Path, methods: Path | None) -> None:
    """Refuse a tuned model in the ledger that has kept less than the share `limit` of general text.

    `sft` is the adapter of fine-tuning, `methods` the figures of the lab, if there are any.

    Raises:
        GateError: one has not; the message says what would help.
    """
    for name, arm in ledger.get("arms", {}).items():
        if arm["retention"] is not None and arm["retention"] < limit:
            method, rate = _made_by(sft)
            helps = advice(name, method=method, rate=rate, measured=_compared(methods), limit=limit)
            raise GateError(
                f"{name} has kept {arm['retention']:.2f} of the likelihood of general text, and "
                f"bundle.min_retention is {limit:g}. What helps: {helps}. Or lower the limit"
            )


def check_parity(ledger: Mapping[str, Any], limit: float) -> None:
    """Refuse a model of the ledger that saving or merging has changed by more than `limit` nats a token.

    Raises:
        GateError: one is not the model that was trained.
    """
    for name, parity in ledger.get("parity", {}).items():
        for form, distance in parity["forms"].items():
            if not distance["gap"] <= limit or distance["differing"]:
                raise GateError(
                    f"{name} as {form} is not the model that was trained: log-probabilities are off by up to "
                    f"{distance['gap']:g} nats, {distance['differing']} of {parity['answers']} answers "
                    f"differ, and bundle.max_parity_gap is {limit:g}: train it anew (dvc repro -f {name}), "
                    "choose another sft.method, or raise the limit if the model's own rounding explains it"
                )


def _compared(methods: Path | None) -> dict[str, Any]:
    """The figures of the lab; none where they cannot be read: they are advice, not a verdict."""
    try:
        return _json(methods) if methods else {}
    except SourceError:
        return {}


def _made_by(sft: Path) -> tuple[str, float | None]:
    """The method of fine-tuning and its learning rate, as far as the adapter tells."""
    try:
        note = read_note(sft)
    except SourceError:
        return "", None
    return note.method, note.settings.get("learning_rate")


def _json(path: Path) -> dict[str, Any]:
    return read_json(path, dict[str, Any], error=SourceError, advice="run dvc repro bundle, which makes it")

"""One trial of the lab: a method, or a variant of one, trained under the budget, then measured as served.

The method `none` is the base model with prompt and retrieval: what every other one has to improve on.
"""

from dataclasses import asdict
from pathlib import Path
from typing import Any

from deploy.adapters.reading import adapter_files
from deploy.answer import Layers
from deploy.assistant import Assistant
from deploy.atomic import write_json
from deploy.knowledge.store import open_knowledge
from deploy.prompts.template import load_template
from deploy.settings import GenerationSettings, PromptSettings, RetrievalSettings
from tasks.evaluation.arms import Setup
from tasks.evaluation.measuring import measure, serve
from tasks.evaluation.retention import retention
from tasks.evaluation.settings import EvaluateSettings
from tasks.lab.settings import UNTUNED, CompareSettings
from tasks.lab.trial.budget import best_rate, losses_of_rates, tokens_within, with_rate
from tasks.lab.trial.latency import Speeds, speeds
from tasks.lab.trial.variants import answered_wrongly, attach_only
from tasks.machine.device import set_up_torch
from tasks.machine.memory import folder_bytes, peak_mib
from tasks.machine.settings import RunSettings
from tasks.rows.records import Example
from tasks.rows.tables import read_table
from tasks.training.settings import SftSettings
from tasks.training.trained import Trained
from tasks.training.tuning.documents import documents_in
from tasks.training.tuning.tuning import fine_tune

TUNED = "tuned"


def trial(
    splits: Path,
    base: Path,
    embedder: Path,
    knowledge: Path,
    *,
    report: Path,
    work: Path,
    method: str,
    seed: int,
    run: RunSettings,
    retrieval: RetrievalSettings,
    prompt: PromptSettings,
    generation: GenerationSettings,
    sft: SftSettings,
    evaluate: EvaluateSettings,
    settings: CompareSettings,
) -> None:
    """Train by one method with one seed; writes what it scored, kept, weighed and took.

    Raises:
        SourceError: the test split has no question that can be asked.
        TrainingError: there is nothing to train on, it cannot fit into memory, or the loss is no number.
    """
    seeded = run.model_copy(update={"seed": seed})
    store = open_knowledge(knowledge, embedder, retrieval)
    template = load_template(prompt.template)
    figures: dict[str, Any] = {"method": method, "seed": seed}
    adapters: dict[str, Path] = {}
    if method != UNTUNED:
        variant = settings.variant(method)
        sft = variant.settings(sft)
        examples = read_table(splits / "train" / "examples.parquet", Example)
        held_out = read_table(splits / "validation" / "examples.parquet", Example)
        composing = Assistant(None, store, template, generation)
        held = folder_bytes(embedder) + folder_bytes(knowledge)
        documents = documents_in(splits, sft)
        taught = answered_wrongly(examples, variant.wrong, seed=seed)

        def tuned(tokens: int, folder: Path, given: SftSettings) -> Trained:
            folder.mkdir(parents=True, exist_ok=True)
            return fine_tune(
                taught,
                held_out,
                composing,
                base,
                work=folder,
                run=seeded,
                settings=given,
                documents=documents,
                tokens=tokens,
                held=held,
            )

        if variant.trained:
            tokens = tokens_within(settings, lambda tokens, folder: tuned(tokens, folder, sft), work)
            rates = losses_of_rates(settings.rates, sft, tokens, tuned, work)
            sft = with_rate(sft, best_rate(rates))
            trained = tuned(tokens, work / "whole", sft)
            adapters[TUNED] = trained.adapter
            figures |= _training(trained) | {"learning_rate": sft.chosen.learning_rate, "rates": rates}
        else:
            adapters[TUNED] = work / "untrained"
            attach_only(examples, composing, base, adapters[TUNED], run=seeded, settings=sft)
    device = set_up_torch(run)
    served = serve(
        base,
        adapters,
        store,
        template,
        device=device,
        generation=generation,
        batch_size=evaluate.batch_size,
    )
    model = TUNED if adapters else "base"
    measured = measure(
        served,
        [Setup(name=method, model=model, layers=Layers(prompt=True, retrieval=True))],
        read_table(splits / "test" / "examples.parquet", Example),
        count=settings.questions,
        settings=evaluate.model_copy(update={"latency_requests": 0}),  # a token's time says more of a method
        seed=run.seed,
    )
    answers, moved = measured.answered[method], measured.divergence[model]
    taken: Speeds = speeds(
        base, adapters.get(TUNED), sft, served.tokenizer, device, rounds=settings.latency_rounds
    )
    figures |= {
        "scores": [round(answer.score, 4) for answer in answers],
        "abstained": [answer.abstained for answer in answers],
        "answerable": [question.answerable for question in measured.questions],
        "retention": round(retention(measured.nll["base"], measured.nll[model]), 4),
        "divergence": round(sum(moved) / len(moved), 4),
        **asdict(taken),
    }
    write_json(report, figures)


def _training(trained: Trained) -> dict[str, Any]:
    """What the training took and left."""
    told = trained.report.figures
    return {
        "trainable": told["trainable_parameters"],
        "total": told["total_parameters"],
        "tokens": told["tokens"],
        "tokens_per_s": round(trained.tokens_per_s or 0.0, 1),
        "estimated_mib": told["estimated_peak_mib"],
        "peak_mib": round(peak_mib(str(told["device"]))),
        "bytes": sum((trained.adapter / file).stat().st_size for file in adapter_files(trained.adapter)),
        "validation_loss": told.get("validation_loss"),
    }

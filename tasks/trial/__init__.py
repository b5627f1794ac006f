"""One trial of the lab: a method, or a variant of one, trained under the budget, then measured as served.

The method `none` is the base model with prompt and retrieval: what every other one has to improve on.
"""

import resource
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from deploy.adapters.reading import adapter_files
from deploy.assistant import Assistant, Layers
from deploy.atomic import write_json
from deploy.engines.chat import load_tokenizer, prompt_ids
from deploy.engines.local import TransformersEngine
from deploy.knowledge.store import open_knowledge
from deploy.prompts.template import load_template
from deploy.settings import GenerationSettings, PromptSettings, RetrievalSettings
from tasks.device import set_up_torch
from tasks.errors import SourceError
from tasks.evaluate.arms import Setup, ask, batches
from tasks.evaluate.divergence import divergences
from tasks.evaluate.questions import askable, draw_questions
from tasks.evaluate.retention import likelihoods, retention
from tasks.lab_settings import UNTUNED, CompareSettings
from tasks.memory.room import folder_bytes
from tasks.records import Example
from tasks.settings import EvaluateSettings, RunSettings
from tasks.sft import fine_tune
from tasks.tables import read_table
from tasks.trained import Trained
from tasks.training_settings import SftSettings
from tasks.trial.budget import best_rate, losses_of_rates, tokens_within, with_rate
from tasks.trial.latency import Speeds, speeds
from tasks.trial.variants import answered_wrongly, attach_only

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
    engine = TransformersEngine(
        base, adapters, dtype=device.precision, device=device.name, batch_size=evaluate.batch_size
    )
    assistant = Assistant(engine, store, template, generation)
    tokenizer = load_tokenizer(base)
    asked = askable(
        draw_questions(
            read_table(splits / "test" / "examples.parquet", Example), settings.questions, seed=run.seed
        ),
        assistant,
        lambda messages: len(prompt_ids(tokenizer, messages)),
        limit=engine.context - generation.max_new_tokens - 256,
    )
    if not asked.questions:
        raise SourceError(f"{splits / 'test'} has no question that can be asked; raise split.test")
    model = TUNED if adapters else "base"
    setup = Setup(name=method, model=model, layers=Layers(prompt=True, retrieval=True))
    sampling = replace(assistant.sampling, seed=run.seed)
    if method == UNTUNED:
        sampling = replace(sampling, max_new_tokens=evaluate.base_max_new_tokens)
    answers = {
        place: answer
        for batch in batches(asked.lengths, evaluate.batch_size)
        for place, answer in zip(
            batch, ask(setup, [asked.questions[n] for n in batch], assistant, sampling), strict=True
        )
    }
    general = likelihoods(engine, tokenizer)
    moved = divergences(engine, tokenizer)[model]
    measured: Speeds = speeds(base, adapters.get(TUNED), sft, tokenizer, device)
    figures |= {
        "scores": [round(answers[place].score, 4) for place in range(len(asked.questions))],
        "abstained": [answers[place].abstained for place in range(len(asked.questions))],
        "answerable": [question.answerable for question in asked.questions],
        "retention": round(retention(general["base"], general[model]), 4),
        "divergence": round(sum(moved) / len(moved), 4),
        **asdict(measured),
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
        "peak_mib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
        "bytes": sum((trained.adapter / file).stat().st_size for file in adapter_files(trained.adapter)),
        "validation_loss": told.get("validation_loss"),
    }

"""Supervised fine-tuning: teaches the model to answer from its sources, to cite them and to abstain.

Which of its weights learn, or what is added to it, is the choice of a method (`tasks.methods`).
"""

import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from deploy.assistant import Assistant
from deploy.engines.chat import load_tokenizer
from deploy.settings import GenerationSettings, PromptSettings, RetrievalSettings
from tasks.adapters import load_base
from tasks.choice import read_choice, settled
from tasks.counterfactuals import counterfactuals, twin_groups
from tasks.device import set_up_torch
from tasks.errors import TrainingError
from tasks.grounding import composer, ground
from tasks.methods import METHODS
from tasks.methods.method import Material
from tasks.process import is_first, processes
from tasks.records import Example
from tasks.reports import Report
from tasks.sampling import stratified
from tasks.schedule import Schedule, schedule
from tasks.settings import RunSettings
from tasks.sft.rehearsal import apart, general_rows, rehearsal
from tasks.sft.rows import TokenRow, account, check_cut, targets, tokenise
from tasks.tables import read_table
from tasks.trained import Trained
from tasks.training import BEST, best_evaluation, train
from tasks.training_settings import AUTO, SftSettings


def sft(
    splits: Path,
    base: Path,
    embedder: Path,
    knowledge: Path,
    choice: Path,
    *,
    adapter: Path,
    curve: Path,
    report: Path,
    work: Path,
    run: RunSettings,
    retrieval: RetrievalSettings,
    prompt: PromptSettings,
    generation: GenerationSettings,
    settings: SftSettings,
) -> None:
    """Adapt the base to grounded examples; writes the adapter, the loss curve and the row account.

    The method is that of params.yaml or, where that says auto, the one in `choice`.

    Raises:
        TrainingError: there is nothing to train on, or the loss is no number.
    """
    examples = read_table(splits / "train" / "examples.parquet", Example)
    held_out = read_table(splits / "validation" / "examples.parquet", Example)
    assistant = composer(knowledge, embedder, retrieval=retrieval, prompt=prompt, generation=generation)
    found = read_choice(choice) if settings.method == AUTO else None
    chosen = settled(settings, found)
    tuned = fine_tune(examples, held_out, assistant, base, work=work, run=run, settings=chosen)
    if found:
        figures = {**tuned.report.figures, "searched": found.evidence()}
        tuned = replace(tuned, report=replace(tuned.report, figures=figures))
    if is_first():
        tuned.write(adapter, curve, report)


def fine_tune(
    examples: Sequence[Example],
    held_out: Sequence[Example],
    assistant: Assistant,
    base: Path,
    *,
    work: Path,
    run: RunSettings,
    settings: SftSettings,
    tokens: int | None = None,
) -> Trained:
    """The adapter that `examples` teach the model in `base`; `work` keeps the states to go on from.

    Training ends after `tokens` of them, if that comes before the rows do. Examples of the task `general` are
    only rehearsed (`sft.replay`).

    Raises:
        TrainingError: there is nothing to train on, or the loss is no number.
    """
    from tasks.fused_llama import streamline
    from tasks.fused_lora import fuse
    from tasks.sft.trainer import sft_trainer

    tuning = settings.chosen
    method = METHODS[settings.method]
    if settings.gradient_checkpointing:
        method.require("gradient_checkpointing", tuning)
    device = set_up_torch(run)
    examples, spare = apart(examples)
    chosen = stratified(examples, settings.max_rows, key=_task, seed=run.seed)
    checked = stratified(held_out, settings.validation_rows, key=_task, seed=run.seed)
    tokenizer = load_tokenizer(base)
    hidden = counterfactuals(chosen, settings.counterfactuals, seed=run.seed)
    own, twins = (
        tokenise(ground(part, assistant), tokenizer, max_length=settings.max_length)
        for part in (chosen, hidden)
    )
    taught = own + twins
    validation = tokenise(ground(checked, assistant), tokenizer, max_length=settings.max_length)
    if not taught.rows:
        raise TrainingError(
            f"of {len(examples)} training examples none can be trained on "
            f"({taught.no_room} have a prompt of max_length or more); add rows or raise sft.max_length"
        )
    check_cut(taught, limit=settings.max_cut, max_length=settings.max_length)
    model = load_base(base, device)
    general = rehearsal(
        spare,
        general_rows(len(taught.rows), settings.replay),
        model,
        tokenizer,
        max_length=settings.max_length,
        seed=run.seed,
        work=work,
    )
    rows = taught + general.rows
    material = Material(tokenizer=tokenizer, rows=[row.input_ids for row in rows.rows])
    adapted = method.attach(model, tuning, material)
    fuse(adapted.model)
    if settings.gradient_checkpointing:
        adapted.model.activation_checkpointing_enable({"use_reentrant": False})
    streamlined = streamline(adapted.model) > 0
    plan = schedule(
        [len(row.input_ids) for row in rows.rows],
        batch_size=settings.batch_size,
        accumulation=settings.accumulation,
        epochs=settings.epochs,
        seed=run.seed,
        by_length=not streamlined,  # streamlined layers never see padding
        together=twin_groups([row.example.id for row in rows.examples]),
    )
    if tokens is not None:
        plan = plan.within(tokens, [len(row.input_ids) for row in rows.rows])
    trainer = sft_trainer(
        adapted,
        tokenizer,
        rows.rows,
        validation.rows,
        plan=plan,
        settings=settings,
        run=run,
        device=device,
        work=work,
        shares_prefix=streamlined,
        names=[row.example.id for row in rows.examples],
    )
    started = time.monotonic()
    began = train(trainer, work, plan.steps)
    seconds = time.monotonic() - started
    history = trainer.state.log_history
    steps = trainer.state.global_step
    trained = _tokens(plan, rows.rows, steps)["tokens"] - _tokens(plan, rows.rows, began)["tokens"]
    print(f"{trained} tokens in {seconds:.0f} s, validation included: {trained / seconds:.0f} tokens/s")
    figures: dict[str, Any] = {
        **device.figures(),
        **({"processes": processes()} if processes() > 1 else {}),
        "steps": steps,
        "planned_steps": plan.steps,
        "method": method.name,
        "trainable_parameters": adapted.trainable,
        "total_parameters": sum(part.numel() for part in adapted.model.parameters()),
        "targets": targets(taught.examples),
        "validation_rows": len(validation.rows),
        "validation_targets": targets(validation.examples),
        **_tokens(plan, rows.rows, steps),
        **general.figures,
    }
    if validation.rows:
        best, loss, _ = best_evaluation(history)
        figures |= {"best_step": best, "validation_loss": round(loss, 6)}
    elif is_first():
        adapted.write(work / BEST)
    if is_first():
        method.note(work / BEST, tuning)
    counts = account(own, entered=len(examples), unused=len(examples) - len(chosen))
    if hidden:
        counts += account(twins, entered=len(hidden), kind="counterfactual")
    return Trained(
        adapter=work / BEST,
        curve=curve_lines(history, plan, rows.rows),
        tokens_per_s=trained / seconds,
        report=Report(stage="sft", rows=counts + general.counts, figures=figures),
    )


def curve_lines(history: Sequence[dict[str, Any]], plan: Schedule, rows: Sequence[TokenRow]) -> str:
    """The loss curve as CSV: one line a step, with the validation loss where it was measured."""
    losses = {entry["step"]: entry["loss"] for entry in history if "loss" in entry}
    checks = {entry["step"]: entry["eval_loss"] for entry in history if "eval_loss" in entry}
    lines = ["step,tokens,loss,validation_loss"]
    for step, loss in sorted(losses.items()):
        check = f"{checks[step]:.6f}" if step in checks else ""
        lines.append(f"{step},{_tokens(plan, rows, step)['tokens']},{loss:.6f},{check}")
    return "\n".join(lines) + "\n"


def _tokens(plan: Schedule, rows: Sequence[TokenRow], step: int) -> dict[str, int]:
    """How many tokens were trained on after `step` steps, and how many of them counted in the loss."""
    seen = [rows[row] for row in plan.until(step)]
    return {
        "tokens": sum(len(row.input_ids) for row in seen),
        "answer_tokens": sum(row.answer_tokens for row in seen),
    }


def _task(example: Example) -> str:
    return example.task

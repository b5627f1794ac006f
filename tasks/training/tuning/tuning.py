"""Trains one adapter: rows, memory, method, trainer and report of a run."""

import time
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deploy.assistant import Assistant
from deploy.engines.chat import load_tokenizer
from tasks.machine.device import Device, set_up_torch
from tasks.machine.memory import peak_mib
from tasks.machine.process import is_first, processes, processes_here, release_memory
from tasks.machine.settings import RunSettings
from tasks.methods import METHODS
from tasks.methods.method import Ability, Material, Method
from tasks.methods.parts.base_model import load_base
from tasks.rows.learned import write_learned
from tasks.rows.records import Document, Example
from tasks.rows.reports import Report
from tasks.training.memory.batch import heaviest
from tasks.training.memory.estimate import Estimate
from tasks.training.memory.fitting import require_memory
from tasks.training.schedule import Schedule
from tasks.training.settings import SftSettings
from tasks.training.trained import Trained
from tasks.training.trainers import BEST, train
from tasks.training.tuning.companions import mixing
from tasks.training.tuning.documents import DOCUMENTS
from tasks.training.tuning.examples import planned, training_examples
from tasks.training.tuning.replay import general_rows, replay_rows
from tasks.training.tuning.tokens import Tokenised, TokenRow, targets

if TYPE_CHECKING:
    from transformers import PreTrainedModel


def fine_tune(
    examples: Sequence[Example],
    held_out: Sequence[Example],
    assistant: Assistant,
    base: Path,
    *,
    work: Path,
    run: RunSettings,
    settings: SftSettings,
    documents: Sequence[Document] = (),
    tokens: int | None = None,
    held: int = 0,
) -> Trained:
    """The adapter that `examples` teach the model in `base`; `work` keeps the states to go on from.

    Where `sft.rows` says so, `documents` teach it instead. Training ends after `tokens` of them, if that
    comes before the rows do. Examples of the task `general` are only replayed (`sft.replay`). `held` are the
    bytes that the assistant's knowledge takes.

    Raises:
        TrainingError: there is nothing to train on, it cannot fit into memory, or the loss is no number.
    """
    from tasks.methods.layers.fusing import can_fuse
    from tasks.training.tuning import deepspeed, fsdp
    from tasks.training.tuning.trainer import sft_trainer
    from tasks.training.watching import best_evaluation

    method, parts = required(settings), settings.parts(processes())
    release_memory()
    device = set_up_torch(run)
    tokenizer = load_tokenizer(base)
    chosen = training_examples(
        examples,
        held_out,
        assistant,
        tokenizer,
        settings=settings,
        seed=run.seed,
        documents=documents,
    )

    def expectation(rows: Tokenised) -> Estimate:
        sketch = planned(
            rows,
            settings,
            seed=run.seed,
            by_length=not can_fuse(base, device.attn_implementation),
            tokens=tokens,
        )
        load = heaviest(rows.rows, sketch, batch_size=max(settings.batch_size // processes(), 1))
        return require_memory(base, settings, load, device, held=held, sharing=processes_here())

    expected = expectation(chosen.training)
    # Whole in the memory of the CPU first: no GPU need hold it.
    model = (method.load or load_base)(base, replace(device, name="cpu") if parts else device)
    general = replay_rows(
        chosen.general,
        general_rows(len(chosen.training.rows), settings.replay),
        model,
        tokenizer,
        max_length=settings.max_length,
        seed=run.seed,
        work=work,
    )
    rows = chosen.training + general.rows
    if general.rows.rows:  # they may be longer than those of the task
        expected = expectation(rows)
    besides = refusals(model, settings)
    adapted = method.attach(
        model,
        settings.chosen,
        Material(tokenizer=tokenizer, rows=[row.input_ids for row in rows.rows]),
    )
    fused = _fused(adapted.model, settings, device)
    if parts == "fsdp":
        fsdp.shard(model, device, settings.fsdp)
    spread = deepspeed.whole if parts == "zero" else fsdp.whole
    whole = partial(spread, adapted.model) if parts else nullcontext
    # Fused layers never see padding.
    plan = planned(rows, settings, seed=run.seed, by_length=not fused, tokens=tokens)
    trainer = sft_trainer(
        adapted,
        tokenizer,
        rows.rows,
        chosen.validation.rows,
        plan=plan,
        settings=settings,
        run=run,
        device=device,
        work=work,
        shares_prefix=fused,
        parts=parts,
        whole=whole,
        names=[row.example.id for row in rows.examples],
    )
    # Of raw text the report tells how likely other documents were before; a run that goes on is new here.
    # DeepSpeed's third stage brings the weights to the GPUs when it begins to train, no sooner.
    raw = settings.rows == DOCUMENTS and bool(chosen.validation.rows) and parts != "zero"
    before = {"validation_loss_before": round(trainer.validation_loss(), 6)} if raw else {}
    started = time.monotonic()
    began = trainer.kept.step if trainer.kept else 0
    with deepspeed.explained(lambda: trainer.watch.begun) if settings.deepspeed else nullcontext():
        train(trainer)
    seconds = time.monotonic() - started
    history, steps = trainer.state.log_history, trainer.state.global_step
    told = chosen.learned(general, plan.until(steps))
    trained = _tokens(plan, rows.rows, steps)["tokens"] - _tokens(plan, rows.rows, began)["tokens"]
    print(
        f"{trained} tokens in {seconds:.0f} s, validation included: {trained / seconds:.0f} tokens/s; "
        f"memory of the process {peak_mib(device.name):,.0f} MiB at its peak, expected {expected.sentence()}"
    )
    figures: dict[str, Any] = {
        **device.figures(),
        **({"processes": processes()} if processes() > 1 else {}),
        "steps": steps,
        "planned_steps": plan.steps,
        "method": method.name,
        "trainable_parameters": adapted.trainable,
        "total_parameters": adapted.total,
        "estimated_peak_mib": expected.mib,
        "targets": targets(chosen.training.examples),
        "validation_rows": len(chosen.validation.rows),
        "validation_targets": targets(chosen.validation.examples),
        **_tokens(plan, rows.rows, steps),
        **before,
        **general.figures,
    }
    if chosen.validation.rows:
        best, loss, _ = best_evaluation(history)
        figures |= {"best_step": best, "validation_loss": round(loss, 6)}
    else:
        with whole():
            if is_first():
                adapted.write(work / BEST)
    if is_first():
        method.note(work / BEST, settings.chosen, besides=besides)
        write_learned(work / BEST, told.lines)
    return Trained(
        adapter=work / BEST,
        curve=curve_lines(history, plan, rows.rows),
        tokens_per_s=trained / seconds,
        report=Report(stage="sft", rows=told.counts, figures=figures),
    )


def required(settings: SftSettings) -> Method:
    """The method, able to do what the settings ask of it.

    Raises:
        SettingsError: it is not.
        TrainingError: DeepSpeed cannot start.
    """
    from tasks.training.tuning.deepspeed import require_deepspeed

    method = METHODS[settings.method]
    if settings.gradient_checkpointing:
        method.require("gradient_checkpointing", settings.chosen)
    if settings.sharded or settings.deepspeed:
        method.require("sharding", settings.chosen)
    if settings.parts(processes()) == "zero":
        method.require("zero3", settings.chosen)
    if settings.deepspeed:
        require_deepspeed()
    return method


def refusals(model: "PreTrainedModel", settings: SftSettings) -> dict[Ability, str]:
    """What cannot follow on this base model, whatever the method, with the reason; said aloud."""
    from tasks.training.split_decoder import uncuttable

    reason = uncuttable(model, longest=settings.max_length)
    if not reason:
        return {}
    print(f"RLHF cannot follow on this base model: {reason}", flush=True)
    return {"rlhf": f"RLHF cannot cut this base model: {reason}"}


def _fused(model: "PreTrainedModel", settings: SftSettings, device: Device) -> bool:
    """Let layers of `model` be faster equals where there are any; whether those of the base are."""
    from tasks.methods.layers.fusing import fuse_layers

    fused = fuse_layers(
        model,
        attention=device.attn_implementation,
        lora=not settings.parts(processes()),  # a fused layer keeps its whole weight until the way back
        recompute=settings.gradient_checkpointing,
    )
    hint = mixing(companions=settings.companions, batch_size=settings.batch_size // processes())
    if fused and hint:
        print(hint, flush=True)
    return fused


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

"""TRL's trainer, freed from work that changes nothing.

Only the answer counts in the loss, so only the answer's positions meet the language head (49k words for
SmolLM2, a fifth of the arithmetic). Rows are padded on the right and attention looks to the left, so no real
token sees the padding and no mask is needed. Where the layers can do it, what all rows of a batch begin with
runs through them once, and padding never. `benchmarks/training.py` measures it.

Import this module late: torch and TRL are needed to define it.
"""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor
from torch.nn import functional
from torch.utils.data import DataLoader
from transformers import PreTrainedModel, PreTrainedTokenizerBase
from trl import SFTConfig, SFTTrainer

from tasks.errors import TrainingError
from tasks.machine.device import Device
from tasks.machine.process import is_first, processes
from tasks.machine.settings import RunSettings
from tasks.methods.layers.shared_prefix import share_prefix
from tasks.methods.method import Adapted, Hidden
from tasks.methods.parts.files import write_tensors
from tasks.training.schedule import Schedule
from tasks.training.settings import SftSettings
from tasks.training.spread import Parts
from tasks.training.trainers import Resumable, arguments, checked_loss, watcher
from tasks.training.tuning import deepspeed
from tasks.training.tuning.fsdp import gathered, load_moments, restore, save_moments
from tasks.training.tuning.tokens import IGNORED, TokenRow, dataset

STATE = "trained.safetensors"  # in a checkpoint: all that learns, by its name in the model


class AnswerTrainer(Resumable, SFTTrainer):
    """TRL's trainer with the loss of `answer_loss`."""

    adapted: Adapted
    named_rows: Sequence[Sequence[str]] = ()  # the names of the rows of each step
    shares_prefix = False  # whether the model's layers take a batch as one sequence
    parts: Parts | None = None  # by whom each process has a part of the weights
    whole: Callable[[], AbstractContextManager[None]]  # where what learns can be read, in every process

    def create_optimizer(self, *arguments: Any, **named: Any) -> Any:
        """The method's own optimiser where it has one."""
        if self.adapted.optimizer is None:
            return super().create_optimizer(*arguments, **named)
        this: Any = self
        if this.optimizer is None:
            this.optimizer = self.adapted.optimizer(this.args.learning_rate, this.args.weight_decay)
        return this.optimizer

    def _prepare_for_training(self, *arguments: Any, **named: Any) -> Any:
        this: Any = self
        with deepspeed.explained() if this.is_deepspeed_enabled else nullcontext():
            return super()._prepare_for_training(*arguments, **named)

    def compute_loss(
        self, model: Any, inputs: Any, return_outputs: bool = False, num_items_in_batch: Any = None
    ) -> Any:
        """The loss of a batch; logits of all positions are never formed, so there are no outputs."""
        assert not return_outputs
        lengths = inputs["attention_mask"].sum(dim=1) if self.shares_prefix else None
        loss_of = self.whole_loss if model is self.model and not self.parts else model
        loss = loss_of(inputs["input_ids"], inputs["labels"], items=num_items_in_batch, lengths=lengths)
        if num_items_in_batch is not None:
            loss = loss * processes()  # gradients are averaged over processes, and each has a part of the sum
        step = self.state.global_step
        rows = self.named_rows[step] if self.model.training and step < len(self.named_rows) else ()
        checked_loss(loss.item(), step + 1, Path(self.args.output_dir), rows=rows)
        return loss

    def whole_loss(self, *batch: Any, **named: Any) -> Tensor:
        """`answer_loss` of the model."""
        return answer_loss(self.model, *batch, hidden=self.adapted.hidden, **named)

    def evaluate(self, *arguments: Any, **named: Any) -> dict[str, float]:
        """The validation loss; each of several processes reads all rows, in the batches of a single one.

        Shared out, the rows would stand in other batches, and the mean over batches would be another.
        """
        this: Any = self
        if processes() == 1:
            return super().evaluate(*arguments, **named)
        size, rows = this.args.per_device_eval_batch_size, this.eval_dataset
        this.model.eval()
        total = 0.0
        with torch.no_grad():
            for batch in DataLoader(rows, batch_size=size, collate_fn=this.data_collator):
                inputs = this._prepare_inputs(batch)
                total += this.compute_loss(this.model, inputs).item() * len(inputs["input_ids"])
        metrics = {"eval_loss": total / len(rows)}
        this.log(metrics)
        this.control = this.callback_handler.on_evaluate(this.args, this.state, this.control, metrics)
        return metrics

    def _save(self, output_dir: str | None = None, state_dict: Any = None) -> None:  # noqa: ARG002
        """What learns, and not what comes of it: an encoder whose result alone is served is kept whole."""
        assert output_dir is not None
        with self.whole():
            if is_first():
                write_tensors(self.adapted.trained(), Path(output_dir) / STATE)

    def _load_from_checkpoint(self, resume_from_checkpoint: str, model: Any = None) -> None:  # noqa: ARG002
        restore(self.adapted.trained(), load_file(Path(resume_from_checkpoint) / STATE))

    def _defer_fsdp_gradient_reduction(self) -> AbstractContextManager[None]:
        """Nothing is put off: the gradients of each batch go at once to where their weights are."""
        return nullcontext()

    def _save_optimizer_and_scheduler(self, output_dir: str) -> None:
        this: Any = self
        if self.parts != "fsdp":
            super()._save_optimizer_and_scheduler(output_dir)
            return
        save_moments(this.optimizer, this.lr_scheduler, Path(output_dir), write=is_first())

    def _load_optimizer_and_scheduler(self, checkpoint: str | None) -> None:
        this: Any = self
        if self.parts != "fsdp" or checkpoint is None:
            super()._load_optimizer_and_scheduler(checkpoint)
            return
        load_moments(this.optimizer, this.lr_scheduler, Path(checkpoint))


def sft_trainer(
    adapted: Adapted,
    tokenizer: PreTrainedTokenizerBase,
    rows: Sequence[TokenRow],
    validation: Sequence[TokenRow],
    *,
    plan: Schedule,
    settings: SftSettings,
    run: RunSettings,
    device: Device,
    work: Path,
    shares_prefix: bool = False,
    parts: Parts | None = None,
    names: Sequence[str] = (),
) -> AnswerTrainer:
    """A trainer that goes through `rows` in the order of `plan` and keeps its states in `work`.

    `shares_prefix` says that `streamline` has prepared the model's layers, `parts` who has the processes keep
    parts of the weights. `names` are those of the rows.
    """
    given = arguments(
        plan, batch_size=settings.batch_size, warmup=settings.warmup, run=run, device=device, work=work
    )
    if settings.deepspeed:
        given |= deepspeed.trainer_arguments(settings.deepspeed, device)
    with deepspeed.explained() if settings.deepspeed else nullcontext():
        config = SFTConfig(
            **given,
            learning_rate=settings.chosen.learning_rate,
            weight_decay=settings.weight_decay,
            dataset_kwargs={"skip_prepare_dataset": True},
        )
    gather = {"fsdp": gathered, "zero": deepspeed.gathered}
    whole = partial(gather[parts], adapted.model) if parts else nullcontext
    watch = watcher(
        plan,
        unit="rows",
        evaluations=settings.evaluations if validation else 0,
        checkpoints=0 if settings.deepspeed else settings.checkpoints,  # DeepSpeed's are pickled
        patience=settings.patience,
        write=adapted.write,
        whole=whole,
    )
    ordered = [rows[row] for row in plan.order]
    trainer = AnswerTrainer(
        model=adapted.model,
        args=config,
        train_dataset=dataset([*ordered, *filling(ordered, settings.batch_size)]),
        eval_dataset=dataset(validation) if validation else None,
        processing_class=tokenizer,
        callbacks=[watch],
    )
    trainer.adapted, trainer.shares_prefix = adapted, shares_prefix
    trainer.parts, trainer.whole = parts, whole
    if processes() > 1 or settings.deepspeed:
        shared(trainer)
    if names:
        trainer.named_rows = [[names[row] for row in plan.at(step)] for step in range(plan.steps)]
    return trainer


def filling(rows: Sequence[TokenRow], batch_size: int) -> list[TokenRow]:
    """What fills the last batch where processes share it: rows of which no token counts."""
    if processes() == 1:
        return []
    last = rows[-1]
    blank = TokenRow(input_ids=last.input_ids, answer_start=len(last.input_ids), truncated=False)
    return [blank] * (-len(rows) % batch_size)


def shared(trainer: AnswerTrainer) -> None:
    """Let the loss be the model's forward pass, around which the processes exchange gradients and weights.

    Raises:
        TrainingError: a launcher wants to spread the weights in a way of its own.
    """
    kind = str(trainer.accelerator.distributed_type).rpartition(".")[2]
    if kind in ("FSDP", "MEGATRON_LM") or (kind == "DEEPSPEED" and not trainer.args.deepspeed):
        raise TrainingError(
            f"sft does not take the settings of {kind} from the launcher; start it with torchrun, and set "
            "sft.sharded: true (FSDP) or sft.deepspeed in params.yaml (docs/scaling.md)"
        )
    this: Any = trainer.model
    this.forward = trainer.whole_loss


def answer_loss(
    model: PreTrainedModel,
    input_ids: Tensor,
    labels: Tensor,
    *,
    items: Any = None,
    lengths: Tensor | None = None,
    hidden: Hidden | None = None,
) -> Tensor:
    """The mean negative log-likelihood of the answer tokens; `items` is their number in the whole step.

    With the `lengths` of the rows the batch runs as one sequence, which only streamlined layers can take.
    `hidden` makes the final states where the model alone does not.
    """
    following = labels[:, 1:]
    counted = following != IGNORED
    decoder = model.get_decoder()
    shared = None if lengths is None else share_prefix(input_ids, lengths)
    if hidden is not None:
        states = hidden(input_ids, shared)
    elif shared is None:
        states = decoder(input_ids=input_ids, use_cache=False).last_hidden_state
    else:
        states = decoder(
            input_ids=shared.tokens, position_ids=shared.positions, shared_prefix=shared, use_cache=False
        ).last_hidden_state
    predicting = states[:, :-1][counted] if shared is None else states[0][shared.places[:, :-1][counted]]
    logits = model.get_output_embeddings()(predicting).float()
    total = functional.cross_entropy(logits, following[counted], reduction="sum")
    return total / (items if items is not None else counted.sum())

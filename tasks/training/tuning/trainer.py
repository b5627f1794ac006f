"""TRL's trainer, freed from work that changes nothing.

Only the answer counts in the loss, so only the answer's positions meet the language head (49k words for
SmolLM2, a fifth of the arithmetic). Rows are padded on the right and attention looks to the left, so no real
token sees the padding and no mask is needed. Where the layers can do it, what all rows of a batch begin with
runs through them once, and padding never. `benchmarks/training.py` measures it.

Import this module late: torch and TRL are needed to define it.
"""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional
from torch.utils.data import DataLoader
from transformers import PreTrainedModel, PreTrainedTokenizerBase
from trl import SFTConfig, SFTTrainer

from tasks.errors import TrainingError
from tasks.machine.device import Device
from tasks.machine.process import processes
from tasks.machine.settings import RunSettings
from tasks.methods.layers.language_head import head_logits
from tasks.methods.layers.shared_prefix import final_states, share_prefix
from tasks.methods.method import Adapted, Hidden
from tasks.training.checkpoint import load
from tasks.training.schedule import Schedule
from tasks.training.settings import SftSettings
from tasks.training.spread import Parts
from tasks.training.trainers import OF_TRL, Resumable, arguments, on_one_gpu
from tasks.training.tuning import deepspeed
from tasks.training.tuning.tokens import IGNORED, TokenRow, dataset
from tasks.training.watching import Watcher, check_finite


class AnswerTrainer(Resumable, SFTTrainer):
    """TRL's trainer with the loss of `answer_loss`."""

    adapted: Adapted
    named_rows: Sequence[Sequence[str]] = ()  # the names of the rows of each step
    shares_prefix = False  # whether the model's layers take a batch as one sequence
    parts: Parts | None = None  # by whom each process has a part of the weights

    def create_optimizer(self, *arguments: Any, **named: Any) -> Any:
        """The method's own optimiser where it has one."""
        if self.adapted.optimizer is None:
            return super().create_optimizer(*arguments, **named)
        this: Any = self
        if this.optimizer is None:
            this.optimizer = self.adapted.optimizer(this.args.learning_rate, this.args.weight_decay)
        return this.optimizer

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
        check_finite(loss.item(), step + 1, Path(self.args.output_dir), rows=rows)
        return loss

    def whole_loss(self, *batch: Any, **named: Any) -> Tensor:
        """`answer_loss` of the model."""
        return answer_loss(self.model, *batch, hidden=self.adapted.hidden, **named)

    def validation_loss(self) -> float:
        """The mean loss of the validation rows under the model as it is."""
        this: Any = self
        size, rows = this.args.per_device_eval_batch_size, this.eval_dataset
        this.model.eval()
        total = 0.0
        with torch.no_grad():
            for batch in DataLoader(rows, batch_size=size, collate_fn=this.data_collator):
                inputs = {name: part.to(this.args.device) for name, part in batch.items()}
                total += this.compute_loss(this.model, inputs).item() * len(inputs["input_ids"])
        return total / len(rows)

    def evaluate(self, *arguments: Any, **named: Any) -> dict[str, float]:
        """The validation loss; each of several processes reads all rows, in the batches of a single one.

        Shared out, the rows would stand in other batches, and the mean over batches would be another.
        """
        this: Any = self
        if processes() == 1:
            return super().evaluate(*arguments, **named)
        metrics = {"eval_loss": self.validation_loss()}
        this.log(metrics)
        this.control = this.callback_handler.on_evaluate(this.args, this.state, this.control, metrics)
        return metrics


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
    whole: Callable[[], AbstractContextManager[None]] = nullcontext,
    names: Sequence[str] = (),
) -> AnswerTrainer:
    """A trainer that goes through `rows` in the order of `plan`, from the checkpoint in `work` on if any.

    `shares_prefix` says that `fuse_llama` has prepared the model's layers, `parts` who has the processes keep
    parts of the weights; what learns can be read within `whole`. `names` are those of the rows.
    """
    given = arguments(
        plan, batch_size=settings.batch_size, warmup=settings.warmup, run=run, device=device, work=work
    )
    if parts == "fsdp":
        # Gradients go at once to where their weights are: kept whole to the last batch they would need room.
        given["accelerator_config"] = {"gradient_accumulation_kwargs": {"sync_each_batch": True}}
    if settings.deepspeed:
        given |= deepspeed.trainer_arguments(settings.deepspeed, device)
    with deepspeed.explained() if settings.deepspeed else nullcontext():
        config = SFTConfig(
            **given,
            **OF_TRL,
            learning_rate=settings.chosen.learning_rate,
            weight_decay=settings.weight_decay,
            dataset_kwargs={"skip_prepare_dataset": True},
        )
    on_one_gpu(config)
    kept = load(work)
    watch = Watcher(
        plan,
        work=work,
        unit="rows",
        validation_passes=settings.validation_passes if validation else 0,
        checkpoints=0 if settings.deepspeed else settings.checkpoints,  # its state is DeepSpeed's own
        patience=settings.patience,
        write=adapted.write,
        learnt=adapted.trained,
        whole=whole,
        kept=kept,
    )
    ordered = [rows[row] for row in plan.order]
    begun = kept.step * plan.rows_per_step if kept else 0
    trainer = AnswerTrainer(
        model=adapted.model,
        args=config,
        train_dataset=dataset([*ordered, *filling(ordered, settings.batch_size)][begun:]),
        eval_dataset=dataset(validation) if validation else None,
        processing_class=tokenizer,
        callbacks=[watch],
    )
    trainer.adapted, trainer.shares_prefix, trainer.parts = adapted, shares_prefix, parts
    trainer.plan, trainer.kept, trainer.learnt, trainer.watch = plan, kept, adapted.trained, watch
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

    With the `lengths` of the rows the batch runs as one sequence, which only fused layers can take.
    `hidden` makes the final states where the model alone does not.
    """
    following = labels[:, 1:]
    counted = following != IGNORED
    shared = None if lengths is None else share_prefix(input_ids, lengths)
    states = final_states(model, input_ids, shared, hidden)
    predicting = states[:, :-1][counted] if shared is None else states[0][shared.places[:, :-1][counted]]
    total = functional.cross_entropy(head_logits(model, predicting), following[counted], reduction="sum")
    return total / (items if items is not None else counted.sum())

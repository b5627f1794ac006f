"""TRL's reward trainer on rows of comparisons: each prompt runs through the model once.

Import this module late: torch and TRL are needed to define it.
"""

from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from datasets import Dataset
from peft import PeftModel
from torch import Tensor, nn
from torch.nn import functional
from transformers import PreTrainedTokenizerBase
from trl import RewardConfig, RewardTrainer

from tasks.machine.device import Device
from tasks.machine.settings import RunSettings
from tasks.methods.parts.files import save_adapter
from tasks.training.checkpoint import load
from tasks.training.rewards.comparisons import Comparison, collate
from tasks.training.rewards.model import score_at
from tasks.training.schedule import Schedule
from tasks.training.settings import RewardSettings
from tasks.training.trainers import OF_TRL, Resumable, arguments, on_one_gpu
from tasks.training.watching import Watcher, check_finite


class ComparisonTrainer(Resumable, RewardTrainer):
    """TRL's trainer with all answers to a prompt in one row.

    `differences` tells for each step with an evaluation by how much the better answer of each validation pair
    scored higher, by the pair's number. `centring` weighs how far scores may be from 0.
    """

    centring: float = 0.0

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.differences: dict[int, dict[int, float]] = {}

    def compute_loss(
        self,
        model: Any,
        inputs: Any,
        return_outputs: bool = False,
        num_items_in_batch: Any = None,  # noqa: ARG002  (a mean over rows, not over tokens)
    ) -> Any:
        """The loss of a batch of rows (Bradley and Terry 1952)."""
        scores = score_at(
            model, inputs["input_ids"], inputs["ends"], mask=inputs["mask"], positions=inputs["positions"]
        )
        better, worse = (scores.flatten()[inputs[name]] for name in ("better", "worse"))
        loss = bradley_terry(
            better, worse, inputs["margins"], weights=inputs["weights"], centring=self.centring
        )
        check_finite(loss.item(), self.state.global_step + 1, Path(self.args.output_dir))
        if not self.model.training:
            known = self.differences.setdefault(self.state.global_step, {})
            known |= zip(inputs["places"].tolist(), (better - worse).tolist(), strict=True)
        return (loss, {"scores": scores}) if return_outputs else loss

    def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
        """Log the accuracy beside the validation loss."""
        if "eval_loss" in logs:
            known = self.differences[self.state.global_step].values()
            logs["eval_accuracy"] = sum(each > 0.0 for each in known) / len(known)
        super().log(logs, start_time)


def reward_trainer(
    model: PeftModel,
    tokenizer: PreTrainedTokenizerBase,
    rows: Sequence[Comparison],
    validation: Sequence[Comparison],
    *,
    plan: Schedule,
    settings: RewardSettings,
    run: RunSettings,
    device: Device,
    work: Path,
) -> ComparisonTrainer:
    """A trainer that goes through `rows` in the order of `plan`, from the checkpoint in `work` on if any."""
    config = RewardConfig(
        **arguments(
            plan, batch_size=settings.batch_size, warmup=settings.warmup, run=run, device=device, work=work
        ),
        **OF_TRL,
        learning_rate=settings.learning_rate,
        remove_unused_columns=False,
    )
    on_one_gpu(config)
    kept = load(work)

    def learnt() -> dict[str, nn.Parameter]:
        return {name: part for name, part in model.named_parameters() if part.requires_grad}

    watch = Watcher(
        plan,
        work=work,
        unit="rows",
        validation_passes=settings.validation_passes if validation else 0,
        checkpoints=settings.checkpoints,
        patience=settings.patience,
        best_by="eval_accuracy",
        write=partial(save_adapter, model),
        learnt=learnt,
        kept=kept,
    )
    begun = kept.step * plan.rows_per_step if kept else 0
    every = [*rows, *validation]
    trainer = ComparisonTrainer(
        model=model,
        args=config,
        train_dataset=_dataset(plan.order[begun:]),
        eval_dataset=_dataset(range(len(rows), len(every))) if validation else None,
        processing_class=tokenizer,
        data_collator=lambda told: collate([every[each["row"]] for each in told]),
        callbacks=[watch],
    )
    trainer.plan, trainer.kept, trainer.learnt = plan, kept, learnt
    trainer.centring = settings.centring
    return trainer


def bradley_terry(
    better: Tensor, worse: Tensor, margins: Tensor, *, weights: Tensor, centring: float = 0.0
) -> Tensor:
    """-log sigmoid(better - worse - margin), summed by the `weights` of the pairs.

    The loss knows differences only, so scores may drift anywhere; `centring` weighs the squared sum of both
    (Eisenstein et al. 2023, arXiv:2312.09244).
    """
    loss = -functional.logsigmoid(better - worse - margins.to(better))
    if centring:
        loss = loss + centring * (better + worse) ** 2
    return (weights.to(better) * loss).sum()


def _dataset(rows: Iterable[int]) -> Dataset:
    """The numbers of the rows, under column names by which TRL knows that nothing is left to prepare."""
    return Dataset.from_list([{"row": row, "chosen_ids": [0], "rejected_ids": [0]} for row in rows])

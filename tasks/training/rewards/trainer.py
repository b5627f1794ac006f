"""TRL's reward trainer on rows that hold both answers, so that each prompt runs through the model once.

Import this module late: torch and TRL are needed to define it.
"""

from collections.abc import Sequence
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
from tasks.training.rewards.model import score_at
from tasks.training.rewards.pairs import TokenPair, collate
from tasks.training.schedule import Schedule
from tasks.training.settings import RewardSettings
from tasks.training.trainers import OF_TRL, Resumable, arguments
from tasks.training.watching import Watcher, check_finite


class PairTrainer(Resumable, RewardTrainer):
    """TRL's trainer with both answers of a pair in one row.

    `outcomes` tells for each step with an evaluation which validation pairs were ranked rightly, in order.
    """

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.outcomes: dict[int, list[bool]] = {}

    def compute_loss(
        self,
        model: Any,
        inputs: Any,
        return_outputs: bool = False,
        num_items_in_batch: Any = None,  # noqa: ARG002  (a mean over pairs, not over tokens)
    ) -> Any:
        """The loss of a batch of pairs (Bradley and Terry 1952)."""
        scores = score_at(
            model, inputs["input_ids"], inputs["ends"], mask=inputs["mask"], positions=inputs["positions"]
        )
        difference = scores[:, 0] - scores[:, 1]
        loss = bradley_terry(difference, inputs["margins"])
        check_finite(loss.item(), self.state.global_step + 1, Path(self.args.output_dir))
        if not self.model.training:
            self.outcomes.setdefault(self.state.global_step, []).extend((difference > 0).tolist())
        return (loss, {"scores": scores}) if return_outputs else loss

    def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
        """Log the accuracy beside the validation loss."""
        if "eval_loss" in logs:
            right = self.outcomes[self.state.global_step]
            logs["eval_accuracy"] = sum(right) / len(right)
        super().log(logs, start_time)


def reward_trainer(
    model: PeftModel,
    tokenizer: PreTrainedTokenizerBase,
    pairs: Sequence[TokenPair],
    validation: Sequence[TokenPair],
    *,
    plan: Schedule,
    settings: RewardSettings,
    run: RunSettings,
    device: Device,
    work: Path,
) -> PairTrainer:
    """A trainer that goes through `pairs` in the order of `plan`, from the checkpoint in `work` on if any."""
    config = RewardConfig(
        **arguments(
            plan, batch_size=settings.batch_size, warmup=settings.warmup, run=run, device=device, work=work
        ),
        **OF_TRL,
        learning_rate=settings.learning_rate,
        remove_unused_columns=False,
    )
    kept = load(work)

    def learnt() -> dict[str, nn.Parameter]:
        return {name: part for name, part in model.named_parameters() if part.requires_grad}

    watch = Watcher(
        plan,
        work=work,
        unit="pairs",
        evaluations=settings.evaluations if validation else 0,
        checkpoints=settings.checkpoints,
        patience=settings.evaluations,  # the best state is kept, but a short run is not cut
        write=partial(save_adapter, model),
        learnt=learnt,
        kept=kept,
    )
    begun = kept.step * plan.rows_per_step if kept else 0
    trainer = PairTrainer(
        model=model,
        args=config,
        train_dataset=_dataset([pairs[row] for row in plan.order[begun:]]),
        eval_dataset=_dataset(validation) if validation else None,
        processing_class=tokenizer,
        data_collator=_batch,
        callbacks=[watch],
    )
    trainer.plan, trainer.kept, trainer.learnt = plan, kept, learnt
    return trainer


def bradley_terry(difference: Tensor, margins: Tensor) -> Tensor:
    """-log sigmoid(better - worse - margin), the mean over pairs."""
    return -functional.logsigmoid(difference - margins.to(difference)).mean()


def _dataset(pairs: Sequence[TokenPair]) -> Dataset:
    """The pairs under the column names by which TRL knows that nothing is left to prepare."""
    return Dataset.from_list(
        [
            {
                "prompt_ids": list(pair.prompt),
                "chosen_ids": list(pair.chosen),
                "rejected_ids": list(pair.rejected),
                "margin": pair.margin,
            }
            for pair in pairs
        ]
    )


def _batch(rows: Sequence[dict[str, Any]]) -> dict[str, Tensor]:
    return collate(
        [
            TokenPair(
                prompt=tuple(row["prompt_ids"]),
                chosen=tuple(row["chosen_ids"]),
                rejected=tuple(row["rejected_ids"]),
                margin=row["margin"],
                flaw="",
            )
            for row in rows
        ]
    )

"""TRL's trainer, freed from work that changes nothing.

Only the answer counts in the loss, so only the answer's positions meet the language head (49k words for
SmolLM2, a fifth of the arithmetic). Rows are padded on the right and attention looks to the left, so no real
token sees the padding and no mask is needed. `benchmarks/training_speed.py` measures both.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tasks.device import Device
from tasks.settings import RunSettings, SftSettings
from tasks.sft.rows import IGNORED, TokenRow, dataset
from tasks.training import Schedule, checked_loss, mark_whole, watcher

if TYPE_CHECKING:
    from peft import PeftModel
    from torch import Tensor
    from transformers import PreTrainedTokenizerBase


def sft_trainer(
    model: "PeftModel",
    tokenizer: "PreTrainedTokenizerBase",
    rows: Sequence[TokenRow],
    validation: Sequence[TokenRow],
    *,
    plan: Schedule,
    settings: SftSettings,
    run: RunSettings,
    device: Device,
    work: Path,
) -> Any:
    """A trainer that goes through `rows` in the order of `plan` and keeps its states in `work`."""
    from transformers import Trainer
    from trl import SFTConfig, SFTTrainer

    class AnswerTrainer(SFTTrainer):
        def compute_loss(
            self, model: Any, inputs: Any, return_outputs: bool = False, num_items_in_batch: Any = None
        ) -> Any:
            assert not return_outputs, "the loss alone is needed; logits of all positions are never formed"
            loss = answer_loss(model, inputs["input_ids"], inputs["labels"], num_items_in_batch)
            checked_loss(loss.item(), self.state.global_step + 1, work)
            return loss

        def _save(self, output_dir: str | None = None, state_dict: Any = None) -> None:
            self.model.save_pretrained(output_dir)  # no pickled arguments, no tokenizer beside it

        def _save_checkpoint(self, model: Any, trial: Any) -> None:
            Trainer._save_checkpoint(self, model, trial)  # TRL would write a model card before
            mark_whole(work, self.state.global_step)

    config = SFTConfig(
        output_dir=str(work),
        per_device_train_batch_size=settings.batch_size,
        per_device_eval_batch_size=settings.batch_size,
        gradient_accumulation_steps=settings.accumulation,
        num_train_epochs=1,  # the order already holds every epoch
        learning_rate=settings.learning_rate,
        lr_scheduler_type="cosine",
        warmup_steps=round(settings.warmup * plan.steps),
        weight_decay=settings.weight_decay,
        seed=run.seed,
        data_seed=run.seed,
        train_sampling_strategy="sequential",
        dataset_kwargs={"skip_prepare_dataset": True},
        max_length=None,
        gradient_checkpointing=False,  # trades time for memory; the adapter leaves memory enough
        use_cpu=device.name == "cpu",
        bf16=False,  # the frozen weights are already in the device's precision, the adapter stays float32
        eval_strategy="no",  # the watcher says when to evaluate and to save
        save_strategy="no",
        logging_strategy="no",
        logging_nan_inf_filter=False,
        prediction_loss_only=True,
        report_to="none",
        disable_tqdm=True,
        dataloader_pin_memory=device.name == "cuda",
    )
    trainer = AnswerTrainer(
        model=model,
        args=config,
        train_dataset=dataset([rows[row] for row in plan.order]),
        eval_dataset=dataset(validation) if validation else None,
        processing_class=tokenizer,
        callbacks=[
            watcher(
                plan,
                unit="rows",
                evaluations=settings.evaluations if validation else 0,
                checkpoints=settings.checkpoints,
                patience=settings.patience,
                best=work / "best",
            )
        ],
    )
    for callback in list(trainer.callback_handler.callbacks):
        if type(callback).__name__ == "PrinterCallback":
            trainer.remove_callback(callback)
    return trainer


def answer_loss(model: "PeftModel", input_ids: "Tensor", labels: "Tensor", items: Any = None) -> "Tensor":
    """The mean negative log-likelihood of the answer tokens; `items` is their number in the whole step."""
    from torch.nn import functional

    base = model.get_base_model()
    hidden = base.get_decoder()(input_ids=input_ids, use_cache=False).last_hidden_state
    following = labels[:, 1:]
    counted = following != IGNORED
    logits = base.get_output_embeddings()(hidden[:, :-1][counted]).float()
    total = functional.cross_entropy(logits, following[counted], reduction="sum")
    return total / (items if items is not None else counted.sum())

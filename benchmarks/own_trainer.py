"""The trainer of the stage `sft`, built as the stage builds it, over rows that a benchmark has made."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tasks.settings import Settings
from tasks.training.tuning.tokens import TokenRow


def own_trainer(model: Path, rows: Sequence[TokenRow], settings: Settings, work: Path) -> Any:
    """A trainer for `rows` by the method of params.yaml, without validation; `work` keeps its states."""
    from deploy.engines.chat import load_tokenizer
    from tasks.machine.device import set_up_torch
    from tasks.methods import METHODS
    from tasks.methods.layers.fusing import fuse_layers
    from tasks.methods.method import Material
    from tasks.methods.parts.base_model import load_base
    from tasks.training.schedule import schedule
    from tasks.training.tuning.trainer import sft_trainer

    sft = settings.sft
    tuning = sft.chosen
    device = set_up_torch(settings.run)
    tokenizer = load_tokenizer(model)
    material = Material(tokenizer=tokenizer, rows=[row.input_ids for row in rows])
    method = METHODS[sft.method]
    adapted = method.attach((method.load or load_base)(model, device), tuning, material)
    fused = fuse_layers(adapted.model, recompute=sft.gradient_checkpointing)
    plan = schedule(
        [len(row.input_ids) for row in rows],
        batch_size=sft.batch_size,
        accumulation=sft.accumulation,
        seed=settings.run.seed,
        by_length=not fused,
    )
    return sft_trainer(
        adapted,
        tokenizer,
        rows,
        [],
        plan=plan,
        settings=sft.model_copy(update={"checkpoints": 1}),
        run=settings.run,
        device=device,
        work=work,
        shares_prefix=fused,
    )

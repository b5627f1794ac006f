"""Training under DeepSpeed, whose settings are passed on from `sft.deepspeed`.

Its ZeRO (Rajbhandari et al. 2020, arXiv:1910.02054) gives each process a part of the optimiser's state (stage
1), of the gradients (2) and of the weights (3). Transformers' trainer drives it.

Import this module late: torch is needed.
"""

import importlib.util
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from torch import nn

from tasks.errors import TrainingError
from tasks.machine.device import Device
from tasks.training.spread import DeepSpeedSettings

OURS = {  # what other settings say: transformers fills it in
    "train_micro_batch_size_per_gpu": "auto",
    "gradient_accumulation_steps": "auto",
    "gradient_clipping": "auto",
}
OPTIMISER = {  # unless they are set: DeepSpeed knows its own optimisers best, and ours is PyTorch's
    "zero_allow_untested_optimizer": True,
    "zero_force_ds_cpu_optimizer": False,
}


def require_deepspeed() -> None:
    """Refuse what DeepSpeed cannot start with.

    Raises:
        TrainingError: it is not installed, or torchrun has not started this process.
    """
    if importlib.util.find_spec("deepspeed") is None:
        raise TrainingError(
            "sft.deepspeed needs the package deepspeed; install it with `make extras`, or set it to null"
        )
    if "WORLD_SIZE" not in os.environ:
        raise TrainingError(
            "sft.deepspeed trains in processes of torchrun, be it one; start the stage with it "
            "(docs/scaling.md), or set it to null"
        )


def trainer_arguments(settings: DeepSpeedSettings, device: Device) -> dict[str, Any]:
    """What the arguments of the trainer become under DeepSpeed."""
    found: dict[str, Any] = {
        "deepspeed": passed_on(settings),
        "bf16": bool(settings.bf16.get("enabled", False)),
        "fp16": bool(settings.fp16.get("enabled", False)),
        "use_cpu": False,
        "ddp_backend": None,
    }
    if device.name == "cpu":
        # Accelerate knows DeepSpeed on GPUs alone: without this state each process would take itself for the
        # only one, and read all rows.
        from accelerate import PartialState
        from accelerate.utils import DistributedType

        state = PartialState(cpu=True, backend="gloo")
        state.distributed_type = DistributedType.DEEPSPEED
        found["accelerator_config"] = {"use_configured_state": True}
    return found


def passed_on(settings: DeepSpeedSettings) -> dict[str, Any]:
    """What DeepSpeed is given: what was set, and what ours is different in."""
    defaults = DeepSpeedSettings().model_dump()
    told = {name: value for name, value in settings.model_dump().items() if value != defaults[name]}
    return {**OPTIMISER, **told, **OURS}


@contextmanager
def explained(begun: Callable[[], bool] = lambda: False) -> Iterator[None]:
    """Within, until training has `begun`, what the libraries say of settings is told as a mistake in them.

    Raises:
        TrainingError: they do not take the settings.
    """
    try:
        yield
    except ValueError as error:  # pydantic's errors are such, too
        if begun():
            raise
        said = " ".join(str(error).split())
        raise TrainingError(f"sft.deepspeed has settings that cannot be used here: {said}") from None


@contextmanager
def whole(model: nn.Module) -> Iterator[None]:
    """Within, what learns is whole in every process; all of them have to enter. For stage 3."""
    from deepspeed.runtime.zero import GatheredParameters

    with GatheredParameters([part for part in model.parameters() if part.requires_grad]):
        yield

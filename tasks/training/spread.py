"""The typed schema of `sft.fsdp` and `sft.deepspeed`: how training is spread over processes."""

from typing import Any, Literal

from pydantic import Field, field_validator

from deploy.settings import Count, Positive, Section

STAGES = (0, 1, 2, 3)
WEIGHTS = 3  # the stage that spreads weights
# By whom each process is given a part of the weights: PyTorch, or DeepSpeed's stage 3.
Parts = Literal["fsdp", "zero"]


class FsdpSettings(Section):
    """How spread weights are gathered; goes on to PyTorch's `fully_shard`.

    With `reshard_after_forward: false` a layer stays whole from its forward to its backward pass: more
    memory, less talk between the processes.
    """

    reshard_after_forward: bool


class DeepSpeedSettings(Section):
    """Settings of DeepSpeed by its own names, passed on as they are; what is left out has its defaults.

    Missing are those that other sections of params.yaml have (batch size, accumulation, optimiser, schedule),
    and those that would send something elsewhere (its monitors).
    """

    zero_optimization: dict[str, Any] = Field(default_factory=dict)
    zero_allow_untested_optimizer: bool | None = None
    zero_force_ds_cpu_optimizer: bool | None = None
    bf16: dict[str, Any] = Field(default_factory=dict)
    fp16: dict[str, Any] = Field(default_factory=dict)
    data_types: dict[str, Any] = Field(default_factory=dict)
    communication_data_type: Literal["fp16", "bf16", "fp32"] | None = None
    prescale_gradients: bool = False
    gradient_predivide_factor: Positive = 1.0
    aio: dict[str, Any] = Field(default_factory=dict)
    comms_logger: dict[str, Any] = Field(default_factory=dict)
    flops_profiler: dict[str, Any] = Field(default_factory=dict)
    steps_per_print: Count | None = None
    wall_clock_breakdown: bool = False

    @field_validator("zero_optimization")
    @classmethod
    def _stage(cls, given: dict[str, Any]) -> dict[str, Any]:
        if given.get("stage", 0) not in STAGES:
            raise ValueError(f"stage is {given['stage']!r}; ZeRO has the stages {STAGES}")
        return given

    @property
    def stage(self) -> int:
        """The stage of ZeRO: from 1 on the optimiser's state is spread, in 3 the weights as well."""
        return int(self.zero_optimization.get("stage", 0))

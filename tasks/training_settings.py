"""The typed schema of the stages that train: sections `sft`, `reward` and `rlhf` of params.yaml."""

from typing import Annotated, Literal, Self, get_args

from pydantic import Field, model_validator

from deploy.errors import SettingsError
from deploy.settings import Count, NonNegative, Positive, Section, Share
from tasks.methods.adapter import AdapterSettings
from tasks.methods.full import FullSettings
from tasks.methods.hybrid import HybridSettings
from tasks.methods.lora import LoraSettings
from tasks.methods.lora_pro import LoraProSettings
from tasks.methods.method import MethodSettings
from tasks.methods.p_tuning_v1 import PTuningV1Settings
from tasks.methods.p_tuning_v2 import PTuningV2Settings
from tasks.methods.prefix import PrefixSettings
from tasks.methods.prompt import PromptTuningSettings
from tasks.methods.pruning import PruningSettings
from tasks.methods.qlora import QloraSettings
from tasks.methods.selective import SelectiveSettings
from tasks.spread_settings import WEIGHTS, DeepSpeedSettings, FsdpSettings, Parts

MethodName = Literal[
    "full",
    "selective",
    "adapter",
    "lora",
    "qlora",
    "prefix",
    "prompt",
    "p_tuning_v1",
    "p_tuning_v2",
    "pruning",
    "lora_pro",
    "hybrid",
]
AUTO = "auto"  # the method that a search chooses


class SftSettings(Section):
    """Supervised fine-tuning by one of the adaptation methods.

    Each method has a section of its own name below; only that of the chosen `method` is used. One that
    params.yaml leaves out has the defaults of its paper. With `auto` the stage `search` chooses one.
    """

    method: Literal[MethodName, "auto"]
    full: FullSettings = FullSettings()
    selective: SelectiveSettings = SelectiveSettings()
    adapter: AdapterSettings = AdapterSettings()
    lora: LoraSettings = LoraSettings()
    qlora: QloraSettings = QloraSettings()
    prefix: PrefixSettings = PrefixSettings()
    prompt: PromptTuningSettings = PromptTuningSettings()
    p_tuning_v1: PTuningV1Settings = PTuningV1Settings()
    p_tuning_v2: PTuningV2Settings = PTuningV2Settings()
    pruning: PruningSettings = PruningSettings()
    lora_pro: LoraProSettings = LoraProSettings()
    hybrid: HybridSettings = HybridSettings()
    max_rows: Count
    counterfactuals: dict[str, Share]
    replay: Annotated[float, Field(ge=0.0, le=0.5)]
    validation_rows: Count
    max_length: Annotated[int, Field(ge=16)]
    max_cut: Share
    epochs: Count
    batch_size: Count
    accumulation: Count
    gradient_checkpointing: bool
    sharded: bool
    fsdp: FsdpSettings
    deepspeed: DeepSpeedSettings | None
    warmup: Share
    weight_decay: NonNegative
    evaluations: Count
    patience: Count
    checkpoints: Count

    @model_validator(mode="after")
    def _spread_in_one_way(self) -> Self:
        if self.sharded and self.deepspeed:
            raise ValueError("sharded and deepspeed both spread the training; set one of them")
        return self

    def parts(self, processes: int) -> Parts | None:
        """By whom each of the processes is given a part of the weights; None where each has them all."""
        if self.deepspeed:
            return "zero" if self.deepspeed.stage == WEIGHTS else None
        return "fsdp" if self.sharded and processes > 1 else None

    @property
    def chosen(self) -> MethodSettings:
        """The settings of the chosen method.

        Raises:
            SettingsError: it is `auto`, and nothing has been chosen yet.
        """
        if self.method == AUTO:
            raise SettingsError(
                "sft.method is auto, which only a run of the chain can turn into a method; name one of "
                f"{', '.join(get_args(MethodName))} in params.yaml"
            )
        found: MethodSettings = getattr(self, self.method)
        return found


class RewardSettings(Section):
    """The reward model (Bradley-Terry loss on preference pairs)."""

    enabled: bool
    max_rows: Count
    counterfactuals: dict[str, Share]
    validation_rows: Count
    max_length: Annotated[int, Field(ge=16)]
    max_cut: Share
    trained_layers: Count
    epochs: Count
    batch_size: Count
    learning_rate: Positive
    warmup: Share
    evaluations: Count
    checkpoints: Count


class RlhfSettings(Section):
    """Proximal policy optimisation (Schulman et al. 2017) against the reward model."""

    updates: Count
    batch_size: Count
    responses: Count
    oversampling: Count
    baseline: Literal["group", "none"]
    mini_batches: Count
    epochs: Count
    trained_layers: Count
    learning_rate: Positive
    kl_coefficient: NonNegative
    kl_limit: Positive
    clip_range: Positive
    value_clip_range: Positive
    value_coefficient: NonNegative
    discount: Share
    gae_lambda: Share
    temperature: Positive
    max_length: Annotated[int, Field(ge=16)]
    max_cut: Share
    max_new_tokens: Count
    missing_end_penalty: NonNegative
    heldout_prompts: Count
    keep: Literal["better", "always"]
    checkpoints: Count

    @model_validator(mode="after")
    def _divisible(self) -> "RlhfSettings":
        if self.batch_size % (self.responses * self.mini_batches):
            raise ValueError(
                f"batch_size ({self.batch_size}) must be a multiple of "
                f"responses x mini_batches ({self.responses} x {self.mini_batches})"
            )
        return self

    @model_validator(mode="after")
    def _has_groups(self) -> "RlhfSettings":
        if self.baseline == "group" and self.responses < 2:
            raise ValueError("baseline group needs responses of 2 or more; else set baseline: none")
        return self

    @property
    def prompts(self) -> int:
        """How many prompts an update learns from."""
        return self.batch_size // self.responses

    @property
    def drawn_prompts(self) -> int:
        """How many prompts an update samples responses to."""
        return self.prompts * self.oversampling

    @model_validator(mode="after")
    def _leaves_room(self) -> "RlhfSettings":
        if self.max_new_tokens >= self.max_length:
            raise ValueError(
                f"max_new_tokens ({self.max_new_tokens}) must be less than max_length ({self.max_length})"
            )
        return self

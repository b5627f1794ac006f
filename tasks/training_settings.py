"""The typed schema of the stages that train: sections `sft`, `reward` and `rlhf` of params.yaml."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from deploy.settings import Count, NonNegative, Positive, Section, Share


class SftSettings(Section):
    """Supervised fine-tuning with a LoRA adapter (Hu et al. 2021)."""

    method: Literal["lora"]
    rank: Count
    alpha: Count
    dropout: Annotated[float, Field(ge=0.0, lt=1.0)]
    targets: Literal["all-linear"] | Annotated[list[str], Field(min_length=1)]
    trained_layers: Count
    max_rows: Count
    counterfactuals: dict[str, Share]
    validation_rows: Count
    max_length: Annotated[int, Field(ge=16)]
    epochs: Count
    batch_size: Count
    accumulation: Count
    learning_rate: Positive
    warmup: Share
    weight_decay: NonNegative
    evaluations: Count
    patience: Count
    checkpoints: Count


class RewardSettings(Section):
    """The reward model (Bradley-Terry loss on preference pairs)."""

    enabled: bool
    max_rows: Count
    counterfactuals: dict[str, Share]
    validation_rows: Count
    max_length: Annotated[int, Field(ge=16)]
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
    max_new_tokens: Count
    missing_end_penalty: NonNegative
    heldout_prompts: Count
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

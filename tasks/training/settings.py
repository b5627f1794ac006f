"""The schema of the stages that train: sections `rerank`, `search`, `sft`, `sample` and `reward`.

That of `rlhf` stands in a file of its own.
"""

from typing import TYPE_CHECKING, Annotated, Literal, Self, TypeAlias

from pydantic import Field, create_model, model_validator

from deploy.errors import SettingsError
from deploy.settings import Count, NonNegative, Positive, Section, Share
from tasks.methods import METHODS, MethodName
from tasks.methods.method import MethodSettings
from tasks.training.spread import WEIGHTS, DeepSpeedSettings, FsdpSettings, Parts

AUTO = "auto"  # the method that a search chooses
if TYPE_CHECKING:
    MethodOrAuto: TypeAlias = str
else:
    MethodOrAuto = Literal[(*METHODS, AUTO)]


class ChosenMethod(Section):
    """The adaptation method, by its name."""

    method: MethodOrAuto


if TYPE_CHECKING:
    MethodSections = ChosenMethod
else:
    # One section for each method under its name.
    MethodSections = create_model(
        "MethodSections",
        __base__=ChosenMethod,
        **{name: (method.settings, method.settings()) for name, method in METHODS.items()},
    )


class SftSettings(MethodSections):
    """Supervised fine-tuning by one of the adaptation methods.

    Each of `METHODS` has a section of its own name; only that of the chosen `method` is used. One that
    params.yaml leaves out has the defaults of its paper. With `auto` the stage `search` chooses one.
    """

    rows: Literal["examples", "documents"]
    max_rows: Count
    companions: Annotated[int, Field(ge=0)]
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
    validation_passes: Count
    patience: Count
    checkpoints: Count

    @model_validator(mode="after")
    def _searched_by_examples(self) -> Self:
        if self.method == AUTO and self.rows == "documents":
            raise ValueError("method auto is chosen by examples; with rows: documents name a method")
        return self

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
                f"{', '.join(METHODS)} in params.yaml"
            )
        found: MethodSettings = getattr(self, self.method)
        return found


class SampleSettings(Section):
    """The tuned model's own answers, judged by the task's score or left for people to judge."""

    enabled: bool
    judge: Literal["score", "people"]
    by_words: bool
    prompts: Count
    validation_prompts: Count
    responses: Annotated[int, Field(ge=2)]
    counterfactuals: dict[str, Share]
    least_difference: Annotated[float, Field(gt=0.0, le=1.0)]
    temperature: Positive
    max_length: Annotated[int, Field(ge=16)]
    max_new_tokens: Count

    @property
    def leaves_out_words(self) -> bool:
        """Whether rows whose answer no rule checks are left out."""
        return self.judge == "score" and not self.by_words

    @model_validator(mode="after")
    def _has_room(self) -> Self:
        require_room(self.max_new_tokens, self.max_length)
        return self


class RankingSettings(Section):
    """What is trained from the embedder, on questions whose passage is known, to rank passages better."""

    enabled: bool
    max_rows: Count
    epochs: Count
    batch_size: Count
    learning_rate: Positive
    warmup: Share
    validation_rows: Count
    validation_passes: Count
    patience: Count


class QueryEncoderSettings(RankingSettings):
    """The query encoder: how questions are read, while passages keep their vectors."""

    nearest: Annotated[int, Field(ge=1, le=1000)]
    temperature: Positive


class RerankSettings(RankingSettings):
    """The reranker: it reads a question together with each passage that was found first."""

    candidates: Annotated[int, Field(ge=2, le=100)]
    max_tokens: Annotated[int, Field(ge=16, le=512)]
    negatives: Count
    trained_layers: Count | None


class RewardSettings(Section):
    """The reward model (Bradley-Terry loss on preference pairs)."""

    enabled: bool
    gate: bool
    max_rows: Count
    counterfactuals: dict[str, Share]
    validation_rows: Count
    test_rows: Annotated[int, Field(ge=0)]
    max_length: Annotated[int, Field(ge=16)]
    max_cut: Share
    margin: NonNegative
    centring: NonNegative
    balance_length: bool
    members: Count
    trained_layers: Count | None
    epochs: Count
    batch_size: Count
    learning_rate: Positive
    warmup: Share
    validation_passes: Count
    patience: Count
    checkpoints: Count


class SearchSettings(Section):
    """What `sft.method: auto` chooses from, and the budget: `tokens` for all trials together.

    The best setting has to be better than LoRA in as many further trainings as `confirmations` says.
    """

    methods: Annotated[list[MethodName], Field(min_length=1)]
    trials: Count
    tokens: Count
    rungs: Count
    eta: Annotated[int, Field(ge=2)]
    validation_rows: Count
    confirmations: Annotated[int, Field(ge=0)]

    @model_validator(mode="after")
    def _whole(self) -> "SearchSettings":
        if len(set(self.methods)) < len(self.methods):
            raise ValueError("methods names something twice")
        if self.trials < len(self.methods):
            raise ValueError(f"trials ({self.trials}) must be at least one for each of the methods")
        if self.trials < self.eta ** (self.rungs - 1):
            raise ValueError(
                f"trials ({self.trials}) must be at least eta^(rungs - 1), which is "
                f"{self.eta ** (self.rungs - 1)}, so that one is left for the last rung"
            )
        if self.tokens < self.trials * self.rungs:
            raise ValueError(f"tokens ({self.tokens}) leave not even one for each trial of the first rung")
        return self


def require_room(max_new_tokens: int, max_length: int) -> None:
    """Refuse responses that leave no room for a prompt."""
    if max_new_tokens >= max_length:
        raise ValueError(f"max_new_tokens ({max_new_tokens}) must be less than max_length ({max_length})")

"""The schema of the section `rlhf` of params.yaml: its algorithm, what answers are worth, its budget."""

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field, create_model, model_validator

from deploy.settings import Count, NonNegative, Positive, Section, Share
from tasks.training.reinforcement.algorithms import ALGORITHMS, AlgorithmName
from tasks.training.reinforcement.algorithms.algorithm import AlgorithmSettings, Source
from tasks.training.settings import require_room

MODEL = "model"  # of the rewards of RLHF: the reward model's
SCORE = "score"  # the task's, which checks an answer by the good one
LENGTH = "length"  # and how near its length is to that of the good one; others are functions of the user
OURS = frozenset({MODEL, SCORE, LENGTH})


class ChosenAlgorithm(Section):
    """The algorithm of RLHF, by its name."""

    algorithm: AlgorithmName


if TYPE_CHECKING:
    AlgorithmSections = ChosenAlgorithm
else:
    # One section for each algorithm under its name.
    AlgorithmSections = create_model(
        "AlgorithmSections",
        __base__=ChosenAlgorithm,
        **{name: (one.settings, one.settings()) for name, one in ALGORITHMS.items()},
    )


class RlhfSettings(AlgorithmSections):
    """Reinforcement learning from what answers are worth, by one of `ALGORITHMS`.

    Each has a section of its own name; only that of the chosen `algorithm` is used. One that params.yaml
    leaves out has the defaults of its paper.
    """

    enabled: bool
    learns_from: Source
    rewards: dict[str, NonNegative]
    by_words: bool
    updates: Count
    prompts: Count
    responses: Count
    redraws: Count
    counterfactuals: dict[str, Share]
    sft_coefficient: NonNegative
    mini_batches: Count
    epochs: Count
    trained_layers: Count
    learning_rate: Positive
    kl_limit: Positive
    temperature: Positive
    max_length: Annotated[int, Field(ge=16)]
    max_cut: Share
    max_new_tokens: Count
    missing_end_penalty: NonNegative
    heldout_prompts: Count
    heldout_as_served: bool
    validation_passes: Count
    keep: Literal["better", "always"]
    checkpoints: Count

    @model_validator(mode="after")
    def _fits_together(self) -> "RlhfSettings":
        sources = ALGORITHMS[self.algorithm].sources
        if self.learns_from not in sources:
            raise ValueError(
                f"algorithm {self.algorithm} learns from {' or '.join(sorted(sources))}, and learns_from is "
                f"{self.learns_from}"
            )
        if self.learns_from == "samples" and not self.weighing:
            raise ValueError("rewards gives no weight to anything; samples need model, score or a function")
        if self.learns_from == "samples" and self.responses < 2 and self._compares:
            raise ValueError(f"algorithm {self.algorithm} compares responses: responses must be 2 or more")
        if self.mini_batches > self.prompts:
            raise ValueError(f"mini_batches ({self.mini_batches}) must be at most prompts ({self.prompts})")
        require_room(self.max_new_tokens, self.max_length)
        return self

    @property
    def _compares(self) -> bool:
        """Whether a response is judged against the others to its prompt."""
        return self.algorithm != "ppo" or getattr(self.chosen, "baseline", "none") == "group"

    @property
    def chosen(self) -> AlgorithmSettings:
        """The settings of the chosen algorithm."""
        found: AlgorithmSettings = getattr(self, self.algorithm)
        return found

    @property
    def by_rules(self) -> bool:
        """Whether samples are worth what the task's score says, and nothing else counts."""
        return self.learns_from == "samples" and self.weighing == {SCORE}

    @property
    def leaves_out_words(self) -> bool:
        """Whether rows whose answer no rule checks are left out."""
        return self.by_rules and not self.by_words

    @property
    def weighing(self) -> frozenset[str]:
        """The names of the rewards that have a weight."""
        return frozenset(name for name, weight in self.rewards.items() if weight)

    @property
    def drawn_prompts(self) -> int:
        """How many prompts an update reads: more than it learns from where it samples responses to them."""
        return self.prompts * (self.redraws if self.learns_from == "samples" else 1)

"""The typed schema of the lab: the section `compare` of params.yaml."""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field, model_validator

from deploy.settings import Count, Positive, Section, Share, spelled
from tasks.machine.settings import overlay
from tasks.methods import METHODS, MethodName
from tasks.training.settings import SftSettings

UNTUNED = "none"  # the trial of the base model with prompt and retrieval
Name = Annotated[str, spelled(r"[a-z][a-z0-9_]*", "a name of small letters, figures and _")]


class Variant(Section):
    """A method under other circumstances.

    `sft` replaces settings of that section. `wrong` is the share of the rows that are trained on with the
    answer of another row. With `trained: false` the method is attached and nothing is learnt.
    """

    method: MethodName
    sft: dict[str, Any] = Field(default_factory=dict)
    wrong: Share = 0.0
    trained: bool = True

    def settings(self, sft: SftSettings) -> SftSettings:
        """The section `sft` as this variant has it.

        Raises:
            ValueError: a replaced setting is unknown or wrong.
        """
        values: Mapping[str, Any] = sft.model_dump()
        return SftSettings.model_validate(overlay(values, {**self.sft, "method": self.method}))


class CompareSettings(Section):
    """What `threeply compare` trains, and for how long: `tokens` or `minutes` is the budget of each trial."""

    methods: Annotated[list[Name], Field(min_length=1)]
    variants: dict[Name, Variant]
    seeds: Annotated[list[Annotated[int, Field(ge=0, lt=2**32)]], Field(min_length=1)]
    rates: Annotated[list[Positive], Field(min_length=1)]
    tokens: Count | None
    minutes: Positive | None
    questions: Count
    latency_rounds: Count

    @model_validator(mode="after")
    def _one_budget(self) -> "CompareSettings":
        if (self.tokens is None) == (self.minutes is None):
            raise ValueError("give one budget: tokens or minutes, and null for the other")
        for name in ("methods", "seeds", "rates"):
            values = getattr(self, name)
            if len(set(values)) < len(values):
                raise ValueError(f"{name} names something twice")
        return self

    @model_validator(mode="after")
    def _known(self) -> "CompareSettings":
        if taken := sorted(set(self.variants) & {UNTUNED, *METHODS}):
            raise ValueError(f"a variant may not have the name of a method: {', '.join(taken)}")
        there = [*METHODS, *self.variants]
        if unknown := [name for name in self.methods if name not in there]:
            raise ValueError(
                f"methods names {', '.join(unknown)}, which is neither a method nor one of the variants; "
                f"there are: {', '.join(there)}"
            )
        return self

    def variant(self, name: str) -> Variant:
        """The variant called `name`; the name of a method is that method as the section `sft` has it."""
        return self.variants[name] if name in self.variants else Variant.model_validate({"method": name})

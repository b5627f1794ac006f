"""The schema of the section `clean` of params.yaml: which steps, in which order, and what each is told."""

from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from deploy.settings import Count, Section

CleanStep = Literal[
    "repairs",
    "empty",
    "length",
    "equal_answers",
    "injection",
    "duplicates",
    "conflicts",
    "evidence",
]
OrderRule = Literal["override", "reveal", "persona", "exfiltration", "address", "role_token", "tool_call"]
RepairName = Literal["encoding", "compose", "controls", "blanks"]


class InjectionSettings(Section):
    """Which orders to a model a row may not hold (docs/cleaning_signals.md says what each rule finds)."""

    rules: list[OrderRule]


class CleanSettings(Section):
    """The steps in their order, and their settings; those of a step that is not named are not read."""

    steps: list[CleanStep]
    repairs: list[RepairName]
    min_characters: Annotated[int, Field(ge=0)]
    max_characters: Count
    injection: InjectionSettings
    conflicts: Literal["drop", "first"]

    @field_validator("steps", "repairs")
    @classmethod
    def _each_once(cls, names: list[str]) -> list[str]:
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"{twice[0]} is named twice; once is enough")
        return names

    @model_validator(mode="after")
    def _ordered(self) -> "CleanSettings":
        if self.min_characters >= self.max_characters:
            raise ValueError(
                f"min_characters ({self.min_characters}) must be less than "
                f"max_characters ({self.max_characters})"
            )
        return self

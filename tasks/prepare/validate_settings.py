"""The schema of the sections `validate` and `gate` of params.yaml: what rows must be to go on."""

from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from deploy.settings import Count, Positive, Section, Share, spelled

Severity = Literal["critical", "warning"]

# The names that expectations have on their page; a test compares them with the suites.
ExpectationName = Literal[
    "enough",
    "id_unique",
    "id_apart",
    "named",
    "grouped",
    "roles",
    "spoken",
    "answer_length",
    "answers",
    "abstains",
    "evidence_known",
    "quote_stands",
    "withheld_known",
    "evidence_open",
    "group_share",
    "unanswerable_share",
    "differs",
    "margin",
    "margin_known",
    "label",
    "agrees",
    "located",
    "titled",
    "filled",
    "sum",
    "rows_drift",
    "source_drift",
    "task_drift",
    "label_drift",
    "answerable_drift",
    "question_length_drift",
    "answer_length_drift",
    "text_length_drift",
    "writing_drift",
    "language_drift",
    "words_drift",
    "answers_drift",
    "source_creep",
    "task_creep",
    "label_creep",
    "answerable_creep",
    "question_length_creep",
    "answer_length_creep",
    "text_length_creep",
    "writing_creep",
    "language_creep",
    "words_creep",
    "answers_creep",
]


class DriftSettings(Section):
    """How far rows may differ from those that the gate let pass last, and first."""

    warning: Positive
    critical: Positive
    creep: Positive | None
    min_rows: Share
    accept: (
        Annotated[str, spelled(r"[0-9a-f]{12}", "what the gate calls these rows: 12 of 0-9 and a-f")] | None
    )

    @model_validator(mode="after")
    def _ordered(self) -> "DriftSettings":
        if self.warning > self.critical:
            raise ValueError(f"warning ({self.warning:g}) must not be above critical ({self.critical:g})")
        return self


class ValidateSettings(Section):
    """The bounds of the expectations, and what else they are to weigh than their suites say."""

    min_examples: Annotated[int, Field(ge=0)]
    min_documents: Annotated[int, Field(ge=0)]
    min_preferences: Annotated[int, Field(ge=0)]
    max_answer_words: Count
    unanswerable_between: Annotated[list[Share], Field(min_length=2, max_length=2)]
    max_group_share: Share
    severity: dict[ExpectationName, Severity]
    drift: DriftSettings

    @field_validator("unanswerable_between")
    @classmethod
    def _from_least_to_most(cls, bounds: list[float]) -> list[float]:
        if bounds[0] > bounds[1]:
            raise ValueError(f"[{bounds[0]:g}, {bounds[1]:g}] is wrong; it should be [least, most]")
        return bounds


class GateSettings(Section):
    """The thresholds that stop the chain."""

    max_dropped: Share
    max_missing_evidence: Share
    max_quarantined: Share
    allow_warnings: bool

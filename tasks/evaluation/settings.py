"""The schemas of the sections `calibrate` and `evaluate` of params.yaml."""

from typing import Annotated

from pydantic import Field

from deploy.settings import Count, Section


class CalibrateSettings(Section):
    """How the threshold of abstaining is found."""

    questions: Annotated[int, Field(ge=0)]
    max_abstains_wrongly: Annotated[float, Field(ge=0.0, le=1.0)] | None
    batch_size: Count


class EvaluateSettings(Section):
    """How the ledger is measured."""

    questions: Count
    rlhf_questions: Annotated[int, Field(ge=0)]
    batch_size: Count
    bootstrap: Annotated[int, Field(ge=100)]
    latency_requests: Annotated[int, Field(ge=0)]
    base_max_new_tokens: Count
    parity_answers: Annotated[int, Field(ge=0)]
    few_shot: Annotated[int, Field(ge=0)]

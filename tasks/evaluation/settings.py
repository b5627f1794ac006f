"""The schema of section `evaluate` of params.yaml."""

from typing import Annotated

from pydantic import Field

from deploy.settings import Count, Section


class EvaluateSettings(Section):
    """How the ledger is measured."""

    questions: Count
    batch_size: Count
    bootstrap: Annotated[int, Field(ge=100)]
    latency_requests: Annotated[int, Field(ge=0)]
    base_max_new_tokens: Count
    parity_answers: Annotated[int, Field(ge=0)]

"""Settings of the runtime: the sections of params.yaml that training, evaluation and serving share.

No field has a default: params.yaml holds every value, so that DVC sees each one.
"""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Share = Annotated[float, Field(ge=0.0, le=1.0)]
Count = Annotated[int, Field(ge=1)]
Positive = Annotated[float, Field(gt=0.0)]
NonNegative = Annotated[float, Field(ge=0.0)]


class Section(BaseModel):
    """One section of params.yaml: frozen, strict, unknown keys refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class RetrievalSettings(Section):
    """How chunks are found for a question."""

    top_k: Annotated[int, Field(ge=1, le=50)]
    candidates: Annotated[int, Field(ge=1, le=1000)]
    dense_weight: Share


class PromptSettings(Section):
    """Which prompt template steers the model."""

    template: Annotated[str, Field(pattern=r"^[a-z0-9_-]+$")]


class GenerationSettings(Section):
    """How an answer is sampled."""

    max_new_tokens: Annotated[int, Field(ge=1, le=4096)]
    temperature: Annotated[float, Field(ge=0.0, le=2.0)]
    top_p: Annotated[float, Field(gt=0.0, le=1.0)]


class ServeSettings(Section):
    """Where and how the assistant is served."""

    bundle: Annotated[Path, Field(strict=False)]
    host: str
    port: Annotated[int, Field(ge=0, le=65535)]
    default_model: Literal["auto", "base", "sft", "rlhf"]
    max_concurrency: Count
    max_body_bytes: Count
    max_messages: Count

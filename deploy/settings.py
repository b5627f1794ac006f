"""Settings of the runtime: the sections of params.yaml that training, evaluation and serving share.

No field has a default: params.yaml holds every value, so that DVC sees each one.
"""

import re
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator

OWN_PROMPTS = "sources/prompts"  # where templates of the user's own lie; dvc.yaml spells it for the stages
METADATA_NAME = r"[A-Za-z_][A-Za-z0-9_.-]{0,63}"  # of what is known of a document, such as a column
_NAME = r"[a-z0-9][a-z0-9_-]*"

Share = Annotated[float, Field(ge=0.0, le=1.0)]
Count = Annotated[int, Field(ge=1)]
Positive = Annotated[float, Field(gt=0.0)]
NonNegative = Annotated[float, Field(ge=0.0)]
Fusion = Literal["scores", "ranks"]
DataPath = Annotated[Path, Field(strict=False)]


def spelled(pattern: str, wanted: str) -> AfterValidator:
    """A check that the whole of a text is of `pattern`; its message says in words what is `wanted`."""

    def check(text: str) -> str:
        if not re.fullmatch(pattern, text):
            raise ValueError(f"{text!r} is wrong; it should be {wanted}")
        return text

    return AfterValidator(check)


Sha256 = Annotated[str, spelled(r"[0-9a-f]{64}", "64 of 0-9 and a-f, as sha256sum prints them")]


class Section(BaseModel):
    """One section of params.yaml: frozen, strict, unknown keys refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class RetrievalSettings(Section):
    """How chunks are found for a question; `fusion` says what of both ways is mixed."""

    top_k: Annotated[int, Field(ge=1, le=50)]
    candidates: Annotated[int, Field(ge=1, le=1000)]
    dense_weight: Share
    fusion: Fusion


class PromptSettings(Section):
    """Which prompt template steers the model: the name of one of deploy/prompts, or a file of the user's own.

    A file lies in sources/prompts: the stages depend on that folder, so none works with what it once said.
    """

    template: str

    @field_validator("template")
    @classmethod
    def _can_be_watched(cls, template: str) -> str:
        if re.fullmatch(rf"(?:{OWN_PROMPTS}/{_NAME}\.prompty|{_NAME})", template):
            return template
        fitting = re.fullmatch(rf"(?:.*/)?({_NAME})\.prompty", template)
        name = fitting[1] if fitting else "NAME"
        raise ValueError(
            f"{template!r} is wrong; it should be the name of a template in deploy/prompts, such as "
            f"assistant, or a file in {OWN_PROMPTS}, which the stages watch: {OWN_PROMPTS}/{name}.prompty"
            + ("" if fitting else ", NAME of a-z, 0-9, - and _")
        )


class GenerationSettings(Section):
    """How an answer is sampled."""

    max_new_tokens: Annotated[int, Field(ge=1, le=4096)]
    temperature: Annotated[float, Field(ge=0.0, le=2.0)]
    top_p: Annotated[float, Field(gt=0.0, le=1.0)]


class ServeSettings(Section):
    """Where and how the assistant is served."""

    bundle: DataPath
    host: str
    port: Annotated[int, Field(ge=0, le=65535)]
    public_key: DataPath | None
    default_model: Literal["auto", "base", "sft", "rlhf"]
    allowed_hosts: tuple[Annotated[str, Field(min_length=1, strict=True)], ...] = Field(strict=False)
    documents: DataPath | None
    feedback: DataPath | None
    keys: DataPath | None
    tags_without_keys: Literal["refuse", "ignore"]
    requests_per_minute: Count | None
    tokens_per_minute: Count | None
    log: Literal["text", "json", "json_with_texts"]
    traces: Annotated[str, spelled(r"https?://[^/\s]+(/\S*)?", "an address of http:// or https://")] | None
    max_concurrency: Count
    max_batch: Count
    deadline_seconds: Positive
    read_seconds: Positive
    shutdown_seconds: NonNegative
    max_body_bytes: Count
    max_document_bytes: Count
    max_messages: Count
    max_message_characters: Count

"""The schema of the sections `base`, `split`, `knowledge` and `index` of params.yaml.

Those of the other stages that prepare rows stand in files of their own: collect, clean, validate and gate.
"""

from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from deploy.settings import METADATA_NAME, Count, DataPath, Section, Sha256, Share, spelled


class BaseSettings(Section):
    """The base model and the embedder, as URIs."""

    model: Annotated[str, Field(min_length=1)]
    model_sha256: Sha256 | None
    embedder: Annotated[str, Field(min_length=1)]
    embedder_sha256: Sha256 | None
    storage_dtype: Literal["float32", "float16", "bfloat16"]
    chat_template: Annotated[str, Field(min_length=1)] | None


class SplitSettings(Section):
    """The shares of validation and test, by what they are drawn, and what must not be trained on.

    `near` says how near to a test set of the user's own a row may be; none may hold an item of `evaluations`.
    Rows that share `near_groups` of their words in a row, and ask the same, are of one group; None: none are.
    With `whole_documents` so are rows that name the same document. Documents with tags are left out, with
    what rests on them, unless `train_on_tagged`.
    """

    by: Literal["hash", "time"]
    time: Annotated[str, Field(min_length=1)] | None
    validation: Share
    test: Share
    salt: str
    near: Annotated[float, Field(gt=0.0, le=1.0)]
    near_groups: Annotated[float, Field(ge=0.3, le=1.0)] | None
    whole_documents: bool
    evaluations: list[DataPath]
    train_on_tagged: bool

    @model_validator(mode="after")
    def _has_a_time(self) -> "SplitSettings":
        if self.by == "time" and self.time is None:
            raise ValueError(
                "time is null, and by: time needs the column that dates rows; set it, to created, say, "
                "and keep: [created] of its sources"
            )
        return self

    @model_validator(mode="after")
    def _leaves_training_rows(self) -> "SplitSettings":
        if self.validation + self.test >= 1.0:
            raise ValueError(
                f"validation + test is {self.validation + self.test:g}; "
                "it must be less than 1, so that rows are left for training"
            )
        return self


_Filter = Annotated[str, spelled(METADATA_NAME, "a name such as product"), Field(strict=True)]


class KnowledgeSettings(Section):
    """How far the documents that are served may drift from those that training has seen.

    `filters` names the metadata by which a question can be kept to some of them.
    """

    max_drift: Share
    max_lost: Share
    filters: tuple[_Filter, ...] = Field(strict=False, max_length=16)

    @field_validator("filters")
    @classmethod
    def _once(cls, filters: tuple[str, ...]) -> tuple[str, ...]:
        for name in filters:
            if filters.count(name) > 1:
                raise ValueError(f"{name} is named twice; name it once")
        return filters


class IndexSettings(Section):
    """How documents become searchable chunks."""

    chunk_words: Annotated[int, Field(ge=8, le=2000)]
    batch_size: Count
    embedded_tokens: Annotated[int, Field(ge=16, le=512)]
    faiss: Literal["flat", "sq8"]

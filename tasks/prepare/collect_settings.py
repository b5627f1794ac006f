"""The schema of the section `collect` of params.yaml: the kinds of sources that rows come from."""

import re
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator

from deploy.knowledge.tags import TAG, WANTED
from deploy.settings import Count, DataPath, NonNegative, Section, Sha256, Share, spelled
from tasks.rows.records import FOR_VALIDATION


class QuestionKinds(Section):
    """The kinds of answerable questions, as weights against each other."""

    default: NonNegative
    confirm: NonNegative
    exists: NonNegative
    purpose: NonNegative
    none: NonNegative
    lookup: NonNegative
    compare: NonNegative
    which: NonNegative

    @model_validator(mode="after")
    def _some(self) -> "QuestionKinds":
        if sum(self.model_dump().values()) == 0.0:
            raise ValueError(f"one of {', '.join(type(self).model_fields)} must be above 0")
        return self


class DescribedSource(Section):
    """What every source may say of itself for the data card: its licence, and where its rows come from.

    Both may be left out: what packages and datasets say of themselves is read, and the rest is unknown.
    """

    licence: str = ""
    origin: str = ""


class TaggedSource(DescribedSource):
    """A source of documents. Where they are served, only who holds one of its `tags` sees them.

    They may be left out: whoever may ask sees the documents of such a source.
    """

    tags: list[Annotated[str, spelled(TAG.pattern, WANTED)]] = Field(default_factory=list)


class PackagesSource(TaggedSource):
    """Documentation of installed Python packages, with questions made from it."""

    kind: Literal["packages"]
    packages: Annotated[list[str], Field(min_length=1)]
    held_out: list[str]
    max_facts: Annotated[int, Field(ge=0)]
    kinds: QuestionKinds
    follow_ups: Share
    talk: Share
    off_topic: Share
    unanswerable: Share
    max_same_default: Annotated[float, Field(gt=0.0, le=1.0)]
    preferences: Annotated[int, Field(ge=0)]

    @model_validator(mode="after")
    def _known(self) -> "PackagesSource":
        if strange := sorted(set(self.held_out) - set(self.packages)):
            raise ValueError(f"held_out names {', '.join(strange)}, which is none of packages")
        return self


class RowsSource(TaggedSource):
    """Rows of any shape, which is detected.

    `columns` maps what a row needs (prompt, completion, text, id, group, evidence...) to the names that the
    source has for it. It may be left out: common names are known. `keep` names columns that go along with
    each row as its metadata. `held_out` makes the source a test set of the user's own, under the name that
    the ledger shows; it may be left out: the rows may then be trained on. With `teaches` the better answers
    of preferences are good answers of examples, too.
    """

    columns: dict[str, str] = Field(default_factory=dict)
    keep: list[str] = Field(default_factory=list)
    held_out: str = ""
    teaches: bool = False

    @field_validator("held_out")
    @classmethod
    def _can_be_shown(cls, name: str) -> str:
        if name and (not re.fullmatch(r"\w[\w ,.()-]{0,39}", name) or name == FOR_VALIDATION):
            raise ValueError(
                f"{name!r} is wrong; it should be a name of at most 40 letters, figures and blanks for the "
                f"ledger to show, such as own questions, and not {FOR_VALIDATION}, which is another split"
            )
        return name


class FileSource(RowsSource):
    """A file of rows: JSONL, CSV, TSV (these also as .gz or .zst), Parquet or .xlsx."""

    kind: Literal["file"]
    path: DataPath


class UrlSource(RowsSource):
    """A file of rows at an address that fsspec knows, such as https:// or s3://.

    It is fetched where it has changed. With a `sha256` it is fetched once, and has to be that file.
    """

    kind: Literal["url"]
    url: str
    sha256: Sha256 | None

    @field_validator("url")
    @classmethod
    def _whole_and_open(cls, url: str) -> str:
        """An address stands in reports: what gives access belongs into the environment."""
        parts = urlsplit(url)
        if not parts.scheme or not parts.path or "::" in url:
            raise ValueError(f"{url!r} is wrong; it should be an address such as https://host/file.jsonl")
        if parts.username or parts.password:
            host = parts.hostname or ""
            raise ValueError(
                f"the address at {host} holds a name or a password, which would stand in reports; give them "
                "by the environment instead (~/.netrc, or the variables of the storage)"
            )
        return url


class DatasetSource(RowsSource):
    """One split of a dataset as Hugging Face keeps it: in a folder, or on the hub (`id` at a `revision`).

    A folder is what `save_to_disk` writes, or a snapshot of the hub. `subset` is one of the configurations
    that its README lists, or a folder of it; it may be left out where there is one alone, or a default.
    """

    kind: Literal["dataset"]
    path: DataPath | None = None
    id: Annotated[str, spelled(r"(\w[\w.-]*/\w[\w.-]*)?", "OWNER/NAME, as the hub calls it")] = ""
    revision: Annotated[str, spelled(r"(\w[\w./-]*)?", "a commit, a tag or a branch")] = ""
    subset: str = ""
    split: Annotated[str, Field(min_length=1)]

    @model_validator(mode="after")
    def _in_one_place(self) -> "DatasetSource":
        if (self.path is None) == (not self.id):
            raise ValueError("it should have either `path`, a folder, or `id`, a dataset of the hub")
        if bool(self.id) != bool(self.revision):
            raise ValueError("`id` and `revision` belong together: a commit, or a branch such as main")
        return self


class SqlSource(RowsSource):
    """What a query finds in a database, called `name` in reports.

    The address of the database is in the environment variable `url_env`, for it may hold a password.
    """

    kind: Literal["sql"]
    name: Annotated[
        str, spelled(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}", "at most 40 letters, figures, dots and dashes")
    ]
    url_env: str
    query: Annotated[str, Field(min_length=1)]

    @field_validator("url_env")
    @classmethod
    def _is_a_name(cls, name: str) -> str:
        """What stands there instead is an address, which is never shown."""
        if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
            raise ValueError(
                "it should be the name of a variable of the environment, such as TICKETS_URL, that holds the "
                "address of the database; the address itself may hold a password, and does not belong here"
            )
        return name


class FolderSource(TaggedSource):
    """A folder of documents in Markdown, text, HTML and PDF, or of its Markdown (.md) alone."""

    kind: Literal["documents", "markdown"]
    path: DataPath


class ExtractsSource(DescribedSource):
    """Small tasks cut out of the documentation of installed packages: labels, summaries, JSON."""

    kind: Literal["extracts"]
    task: Literal["label", "summary", "json"]
    packages: Annotated[list[str], Field(min_length=1)]
    max_rows: Count


class QueriesSource(DescribedSource):
    """Questions over made-up tables, with the SQL that answers them."""

    kind: Literal["queries"]
    max_rows: Count


class FeedbackSource(DescribedSource):
    """What people think of served answers: the file that `threeply feedback export` writes.

    It may be missing: nobody has rated an answer yet.
    """

    kind: Literal["feedback"]
    path: DataPath


class CorrectionsSource(DescribedSource):
    """Rows of the other sources that people have mended: the file that `threeply rows import` writes.

    It may be missing: nothing was corrected yet.
    """

    kind: Literal["corrections"]
    path: DataPath


Source = Annotated[
    PackagesSource
    | FileSource
    | UrlSource
    | DatasetSource
    | SqlSource
    | FolderSource
    | ExtractsSource
    | QueriesSource
    | CorrectionsSource
    | FeedbackSource,
    Field(discriminator="kind"),
]


class CollectSettings(Section):
    """Where the rows come from."""

    sources: Annotated[list[Source], Field(min_length=1)]

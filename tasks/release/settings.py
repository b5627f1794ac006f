"""The schema of sections `card`, `bundle` and `report` of params.yaml."""

from typing import Annotated

from pydantic import Field

from deploy.settings import Count, DataPath, Positive, Section, Share, spelled


class CardSettings(Section):
    """What the data card tells of groups and of the people who judged."""

    groups: list[str]
    smallest_group: Count
    annotator: Annotated[str, Field(min_length=1)]


class BundleSettings(Section):
    """What is shipped."""

    name: Annotated[str, spelled(r"[A-Za-z0-9._-]+", "a name of letters, figures, dots and dashes")]
    min_retention: Share
    max_parity_gap: Positive
    signing_key: DataPath | None


class ReportSettings(Section):
    """The page for people."""

    examples: Annotated[int, Field(ge=0)]

"""Which documents a question is kept to: by how their ids begin, and by what is known of them."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from deploy.errors import FilterError, SettingsError
from deploy.settings import METADATA_NAME

LONGEST_VALUE = 300  # characters
MOST_NAMES = 16  # of the metadata of one document


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Documents whose ids begin with one of `beginnings`, and that have one of the values for each name.

    Without any beginnings or names, all are.
    """

    beginnings: tuple[str, ...] = ()
    where: Mapping[str, Collection[str]] = field(default_factory=dict)

    def __bool__(self) -> bool:
        """Whether any is left out."""
        return bool(self.beginnings or self.where)

    def fits(self, name: str, metadata: Mapping[str, str]) -> bool:
        """Whether a document of this id with this metadata is wanted."""
        if self.beginnings and not name.startswith(self.beginnings):
            return False
        return all(metadata.get(column) in values for column, values in self.where.items())


ALL = Wanted()


def check_filters(names: Collection[str], filters: Collection[str]) -> None:
    """Return if a search can be kept to documents by metadata of these `names`, of which there are `filters`.

    Raises:
        FilterError: it cannot.
    """
    for name in names:
        if name not in filters:
            there = f"there are: {', '.join(filters)}" if filters else "there are none"
            raise FilterError(
                f"{name[:100]!r} is no metadata that documents are found by here; {there} "
                "(knowledge.filters in params.yaml)"
            )


def spelled_metadata(words: Collection[str]) -> dict[str, str]:
    """Metadata from words such as `product=kiln`.

    Raises:
        SettingsError: one is not of this form, or a name comes twice.
    """
    found: dict[str, str] = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not (equals and re.fullmatch(METADATA_NAME, name) and 0 < len(value) <= LONGEST_VALUE):
            raise SettingsError(f"{word[:100]!r} is wrong; it should be metadata such as product=kiln")
        if name in found:
            raise SettingsError(f"{name} is given twice: {found[name]!r} and {value!r}; give it once")
        found[name] = value
    return found

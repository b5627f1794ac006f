"""The tags of a source, which all of its documents have, whatever reads them."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from tasks.prepare.collect_settings import Source, TaggedSource

if TYPE_CHECKING:
    import pyarrow as pa


def tags_of(source: Source) -> tuple[str, ...]:
    """The tags of a source, each once, in order."""
    return tuple(sorted({*source.tags})) if isinstance(source, TaggedSource) else ()


def tagged(table: "pa.Table", tags: Sequence[str]) -> "pa.Table":
    """A table of documents with these tags, if it has that column."""
    import pyarrow as pa

    place = table.schema.get_field_index("tags")
    if not tags or place < 0:
        return table
    field = table.schema.field(place)
    return table.set_column(place, field, pa.array([tags] * len(table), field.type))

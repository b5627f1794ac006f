"""What people call a document by: an address that stays when its text changes, unlike the id of most."""

import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from tasks.rows.keys import KeyMap, joined, text_keys
from tasks.rows.records import Document

if TYPE_CHECKING:
    import pyarrow as pa

_VERSION = re.compile(r"@[^@/]*$")


def address(document: Document) -> str:
    """Where a document comes from, without a version: `file:sources/manual/a.md`, `py:numpy.linalg.norm`."""
    return address_of(document.uri)


def address_of(uri: str) -> str:
    """The address of the document that has this URI."""
    return _VERSION.sub("", uri) if uri.startswith("py:") else uri


class Addresses:
    """Where documents come from, as hashes; what is told of them is their ids."""

    def __init__(self, documents: Iterable[tuple[Sequence[str], Sequence[str]]]) -> None:
        """`documents` are ids and URIs, some at a time; of two at one address the first counts."""
        import pyarrow as pa

        keys, addresses, names = [], [], [pa.array([], pa.string())]
        for ids, uris in documents:
            keys.append(text_keys(ids))
            addresses.append(text_keys(map(address_of, uris)))
            names.append(pa.array(ids, pa.string()))
        self._ids, self._known = KeyMap(joined(keys)), KeyMap(joined(addresses))
        self._names = pa.chunked_array(names)

    def ids(self, names: Sequence[str]) -> list[str]:
        """For each name the id of its document, where it is an address; else the name itself."""
        keys = text_keys(names)
        places = self._known.places(keys)
        places[self._ids.holds(keys)] = -1
        return [
            name if place < 0 else self._names[place].as_py()
            for name, place in zip(names, places.tolist(), strict=True)
        ]


def by_id(table: "pa.Table", addresses: Addresses) -> "pa.Table":
    """The rows with the ids of documents as evidence, where they gave an address."""
    import pyarrow as pa

    evidence = table["evidence"].combine_chunks()
    names = evidence.values.to_pylist()
    ids = addresses.ids(names)
    if ids == names:
        return table
    told = pa.ListArray.from_arrays(evidence.offsets, pa.array(ids, pa.string()))
    place = table.schema.get_field_index("evidence")
    return table.set_column(place, table.schema.field(place), told)

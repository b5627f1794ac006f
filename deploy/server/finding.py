"""What of the documents a request may find: what its key sees, and of that what it asks for."""

from typing import Annotated

from pydantic import BaseModel, Field

from deploy.documents.seen import seen_by
from deploy.documents.wanted import LONGEST_VALUE, Wanted
from deploy.errors import FilterError
from deploy.knowledge.hits import Knowledge
from deploy.knowledge.tags import Held
from deploy.server.faults import RequestError

_Value = Annotated[str, Field(min_length=1, max_length=LONGEST_VALUE)]
_Values = Annotated[list[_Value], Field(min_length=1, max_length=32)]


class Finding(BaseModel, extra="forbid"):
    """What may be found: by how the ids of `documents` begin, and by their metadata, `where`."""

    documents: Annotated[list[_Value], Field(max_length=32)] = []
    where: Annotated[dict[str, _Value | _Values], Field(max_length=8)] = {}

    @property
    def wanted(self) -> Wanted:
        """The documents that may be found."""
        values = {name: [said] if isinstance(said, str) else said for name, said in self.where.items()}
        return Wanted(beginnings=tuple(self.documents), where=values)


def found_by(knowledge: Knowledge | None, held: Held, wanted: Wanted, *, field: str) -> Knowledge | None:
    """Of `knowledge` what whoever holds the tags `held` sees and a request wants, in its `field`.

    Raises:
        RequestError: it wants documents by metadata that there is not.
    """
    try:
        return seen_by(knowledge, held, wanted)
    except FilterError as error:
        raise RequestError(400, str(error), "unknown_filter", field) from None

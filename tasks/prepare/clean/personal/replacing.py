"""A row with everything personal replaced: in its texts, its metadata and its addresses, and in its names."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from deploy.files import text_sha256
from deploy.messages import Message
from tasks.prepare.clean.personal.spans import Found, redacted
from tasks.prepare.clean_settings import PersonalKind
from tasks.rows.identity import hidden
from tasks.rows.records import Document, Example, Preference, Row


def texts(row: Row) -> tuple[str, ...]:
    """All in a row that people have written, but for what it is called."""
    match row:
        case Example():
            return (*(turn.content for turn in row.messages), row.quote, *row.metadata.values())
        case Preference():
            prompt = (turn.content for turn in row.prompt)
            return (*prompt, row.chosen, row.rejected, row.quote, *row.metadata.values())
        case Document():
            return row.title, row.text, row.uri, *row.metadata.values()


class Without:
    """Gives a row without what was found in it, and the kind of each piece.

    `in_name` gives the kinds of what stands in an id or a group; `of_documents` has what was found in
    documents by their ids, and `documents` those that quotes may stand in.
    """

    def __init__(
        self,
        in_name: Callable[[str], Sequence[PersonalKind]],
        documents: Mapping[str, Document],
        of_documents: Mapping[str, Found],
    ) -> None:
        self._in_name, self._documents, self._of_documents = in_name, documents, of_documents

    def __call__(self, row: Row, personal: Found) -> tuple[Row, list[PersonalKind]]:
        """The row without what is `personal`, which is the same object where nothing is in it."""
        kinds = list(self._in_name(row.id))
        without = self._renamed(self._cleared(row, personal, kinds) if personal else row)
        return (row if without == row else without), kinds

    def _renamed(self, row: Row) -> Row:
        """The row with other names for itself, its group and its documents where those tell of somebody."""

        def name(told: str) -> str:
            return hidden(told) if self._in_name(told) else told

        if isinstance(row, Document):
            return replace(row, id=name(row.id)) if self._in_name(row.id) else row
        if not any(map(self._in_name, (row.id, row.group, *row.evidence, *row.withheld))):
            return row
        evidence, withheld = (tuple(map(name, names)) for names in (row.evidence, row.withheld))
        return replace(row, id=name(row.id), group=name(row.group), evidence=evidence, withheld=withheld)

    def _cleared(self, row: Row, personal: Found, kinds: list[PersonalKind]) -> Row:
        """The row with its texts redacted; the kinds of what stood there are added to `kinds`."""

        def clear(text: str) -> str:
            text, replaced = redacted(text, personal)
            kinds.extend(replaced)
            return text

        def turns(messages: tuple[Message, ...]) -> tuple[Message, ...]:
            return tuple(Message(message.role, clear(message.content)) for message in messages)

        metadata = {name: clear(value) for name, value in row.metadata.items()}
        match row:
            case Example():
                return replace(
                    row, messages=turns(row.messages), quote=self._quote(row, personal), metadata=metadata
                )
            case Preference():
                return replace(
                    row,
                    prompt=turns(row.prompt),
                    chosen=clear(row.chosen),
                    rejected=clear(row.rejected),
                    quote=self._quote(row, personal),
                    metadata=metadata,
                )
            case Document():
                text = clear(row.text)
                return replace(
                    row,
                    title=clear(row.title),
                    uri=clear(row.uri),
                    text=text,
                    metadata=metadata,
                    sha256=text_sha256(text),
                )

    def _quote(self, asked: Example | Preference, personal: Found) -> str:
        """The quote as it stands in its document now; none where it was cut out of a piece that is gone."""
        told = redacted(asked.quote, personal)[0]
        for name in asked.evidence:
            there = self._documents.get(name)
            if there and asked.quote in there.text:
                left = redacted(there.text, self._of_documents.get(name, {}))[0]
                return told if told in left else ""
        return told

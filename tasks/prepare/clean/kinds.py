"""Texts by the kinds of their characters: whether one may hold what is looked for is soon seen in them."""

from collections.abc import Mapping


def signs(of: Mapping[str, str], *, others: str) -> bytes:
    """A table for `by_kind`: a sign for each kind of characters of ASCII, and one for all others."""
    found = {character: sign for sign, characters in of.items() for character in characters}
    return "".join(found.get(chr(byte), others) for byte in range(256)).encode()


def by_kind(text: str, table: bytes) -> bytes:
    """A sign for each character of a text; one that is not of ASCII has that of a question mark."""
    return text.encode("ascii", "replace").translate(table)

"""Where personal data stand in a text, and the text without them. Pure: no settings, no rows.

Kinds are looked for in an order: what an earlier one has taken no later one takes, so that the digits of a
card are no telephone number and the password in an address is no part of an e-mail.
"""

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import partial

from tasks.prepare.clean.personal.accounts import cards, ibans
from tasks.prepare.clean.personal.addresses import emails, ips
from tasks.prepare.clean.personal.keys import keys
from tasks.prepare.clean.personal.phones import phones
from tasks.prepare.clean_settings import PersonalKind

Found = Mapping[str, PersonalKind]  # what was found, and what it is
_Finder = Callable[[str], Iterator[tuple[int, int]]]


def placeholder(kind: PersonalKind) -> str:
    """What stands in the place of a piece of personal data: `[email]`."""
    return f"[{kind}]"


class Finder:
    """Finds the named kinds of personal data, but for what ends with one of `spared`.

    Telephone numbers without a country's code are read as those of `regions`.
    """

    def __init__(
        self, kinds: Collection[PersonalKind], regions: Sequence[str], spared: Sequence[str] = ()
    ) -> None:
        self._spared = tuple(end.lower() for end in spared)
        table: Mapping[PersonalKind, _Finder] = {
            "key": keys,
            "email": emails,
            "iban": ibans,
            "card": cards,
            "ip": ips,
            "phone": partial(phones, regions=tuple(regions)),
        }
        self._finders = [(kind, find) for kind, find in table.items() if kind in kinds]

    def __call__(self, text: str) -> dict[str, PersonalKind]:
        """Each piece of personal data in `text` as it stands there."""
        taken: list[tuple[int, int]] = []
        found: dict[str, PersonalKind] = {}
        for kind, find in self._finders:
            for start, end in find(text):
                if all(end <= other_start or start >= other_end for other_start, other_end in taken):
                    taken.append((start, end))
                    if not text[start:end].lower().endswith(self._spared):
                        found.setdefault(text[start:end], kind)
        return found


def redacted(text: str, found: Found) -> tuple[str, list[PersonalKind]]:
    """The text with each piece of `found` replaced, wherever it stands in it, and which kinds those were."""
    present = [value for value in found if value in text]
    if not present:
        return text, []
    replaced: list[PersonalKind] = []

    def replace(match: re.Match[str]) -> str:
        replaced.append(found[match[0]])
        return placeholder(found[match[0]])

    return _any_of(present).sub(replace, text), replaced


def _any_of(values: Iterable[str]) -> re.Pattern[str]:
    """Any of the values, the longest first; none inside a longer word or number."""
    longest_first = sorted(values, key=lambda value: (-len(value), value))
    each = (
        ("(?<!\\w)" if value[0].isalnum() else "")
        + re.escape(value)
        + ("(?!\\w)" if value[-1].isalnum() else "")
        for value in longest_first
    )
    return re.compile("|".join(each))

"""Where personal data stand in a text, and the text without them. Pure: no settings, no rows.

Kinds are looked for in an order: what an earlier one has taken no later one takes, so that the digits of a
card are no telephone number and the password in an address is no part of an e-mail.
"""

import re
from bisect import bisect
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import partial

from tasks.prepare.clean.personal.accounts import cards, ibans
from tasks.prepare.clean.personal.addresses import emails, ips
from tasks.prepare.clean.personal.keys import keys
from tasks.prepare.clean.personal.phones import phones
from tasks.prepare.clean_settings import PersonalKind

Found = Mapping[str, PersonalKind]  # what was found, and what it is
Find = Callable[[str], Iterator[tuple[int, int]]]  # where something stands in a text
_DIGIT = re.compile(r"\d")
_NO_DIGITS = bytes(byte for byte in range(128) if not chr(byte).isdigit())


def placeholder(kind: PersonalKind) -> str:
    """What stands in the place of a piece of personal data: `[email]`."""
    return f"[{kind}]"


class Finder:
    """Finds the named kinds of personal data, but for what ends with one of `spared`.

    Telephone numbers without a country's code are read as those of `regions`; `names` finds those of people.
    """

    def __init__(
        self,
        kinds: Collection[PersonalKind],
        regions: Sequence[str],
        spared: Sequence[str] = (),
        names: Find | None = None,
    ) -> None:
        self._spared = tuple(end.lower() for end in spared)
        # Each with the digits that it has at least: most texts have fewer, and are not searched.
        table: dict[PersonalKind, tuple[Find, int]] = {
            "key": (keys, 0),
            "email": (emails, 0),
            "iban": (ibans, 2),
            "card": (cards, 14),
            "ip": (ips, 1),
            "phone": (partial(phones, regions=tuple(regions)), 8),
        }
        if names:
            table["name"] = names, 0
        self._finders = [(kind, *told) for kind, told in table.items() if kind in kinds]

    def __call__(self, text: str) -> dict[str, PersonalKind]:
        """Each piece of personal data in `text` as it stands there."""
        taken: list[tuple[int, int]] = []  # in order, none over another
        found: dict[str, PersonalKind] = {}
        digits = _num_digits(text)
        for kind, find, least in self._finders:
            for start, end in find(text) if digits >= least else ():
                at = bisect(taken, (start, end))
                if any(start < other[1] and other[0] < end for other in taken[max(0, at - 1) : at + 1]):
                    continue
                taken.insert(at, (start, end))
                if not text[start:end].lower().endswith(self._spared):
                    found.setdefault(text[start:end], kind)
        return found


def _num_digits(text: str) -> int:
    """How many characters of a text are digits, of any script."""
    if text.isascii():
        return len(text.encode().translate(None, _NO_DIGITS))
    return len(_DIGIT.findall(text))


def redacted(text: str, found: Found) -> tuple[str, list[PersonalKind]]:
    """The text with each piece of `found` replaced, wherever it stands in it, and which kinds those were."""
    replaced: list[PersonalKind] = []
    present = [value for value in found if value in text]
    for value in sorted(present, key=lambda value: (-len(value), value)):  # one may be a part of another
        text, times = _replaced(text, value, placeholder(found[value]))
        replaced += [found[value]] * times
    return text, replaced


def _replaced(text: str, value: str, new: str) -> tuple[str, int]:
    """The text with `value` replaced where it is no part of a longer word, and how often that was."""
    parts: list[str] = []
    place = 0
    at = text.find(value)
    while at >= 0:
        end = at + len(value)
        if _ends_word(text[at - 1 : at], value[0]) and _ends_word(value[-1], text[end : end + 1]):
            parts += [text[place:at], new]
            place = end
        at = text.find(value, max(at + 1, place))
    return "".join((*parts, text[place:])), len(parts) // 2


def _ends_word(one: str, other: str) -> bool:
    """Whether no word or number goes on from one character to the next."""
    return not (one.isalnum() and other.isalnum())

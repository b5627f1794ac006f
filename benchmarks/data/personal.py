"""Personal data and secrets of every kind that should be found, in text, and text that only looks like it.

Every value is invented: hosts end in .example, telephone numbers come from ranges that are kept for fiction,
banks do not exist. Addresses of the internet are drawn: those kept for documentation point to nobody.
"""

import base64
import json
import string
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

import numpy as np

T = TypeVar("T")
Draw = np.random.Generator
_NAMES = (
    "ana",
    "bo",
    "carla",
    "dmitri",
    "eva",
    "faruk",
    "greta",
    "hiro",
    "ines",
    "jan",
    "kofi",
    "lena",
    "mira",
    "noor",
)
_HOSTS = ("lindenhof.example", "mail.rivera.example", "ops.blauwerk.example", "quill.example")
_LETTERS = string.ascii_letters + string.digits
_SAID = {
    "e-mail": ("Write to {} about it.", "My address is {}.", "{} has worked this out."),
    "phone": ("Ring me on {} after four.", "My number is {}.", "Text {} when it is done."),
    "IBAN": ("The fee goes to {}.", "I pay from {}.", "Our account is {}."),
    "card": ("I paid with card {}.", "Charge {} for it.", "The form took {} as my card."),
    "IP": ("It came from {} last night.", "My machine is {}.", "The login was from {}."),
    "key": ("My token is {} there.", "I exported KEY={} before.", "The header had Bearer {}."),
}
_ALIKE = (
    "It happened at 2031-0{month}-{day}T12:30:{second}Z.",
    "This is about commit {hex40}.",
    "The ticket is {hex8}-{hex4}-4{hex3}-a{hex3}-{hex12}.",
    "I have version 2.{second}.{day}-rc.{month}, build 20310{month}{day}.",
    "The order number is {wrong_card}.",
    "It takes {digits7} of {digits9} bytes.",
    "Use the decorator @cached, and a+b@c in the expression.",
    "The array has the shape (1024, 768, 12), and 1e-05 is the limit.",
    "The host is 10.0.{day}.{second}:8443, and 127.0.0.1 is itself.",
    "Rows {digits4} to {digits5} of table {day}.{month}.{second} are wrong.",
)


def email(draw: Draw) -> str:
    """An e-mail address."""
    first, last, host = (_pick(some, draw) for some in (_NAMES, _NAMES, _HOSTS))
    return _pick(
        (f"{first}.{last}@{host}", f"{first[0]}{last}{_digits(2, draw)}@{host}", f"{first}+{last}@{host}"),
        draw,
    )


def phone(draw: Draw) -> str:
    """A phone number of a range kept for fiction, in one of the ways that people write them."""
    two, three = _digits(2, draw), _digits(3, draw)
    ways = (
        f"+1 212 555 01{two}", f"(650) 555-01{two}", f"+44 20 7946 0{three}", f"020 7946 0{three}",
        f"+44 7700 900{three}", f"+49 30 23125{three}", f"+33 1 99 00 {two} {_digits(2, draw)}",
        f"+61 491 570 {_pick(('156', '157', '158', '159'), draw)}",
    )  # fmt: skip
    return _pick(ways, draw)


def iban(draw: Draw) -> str:
    """An account number whose check digits are right (ISO 13616)."""
    country, bank, more = _pick(
        (("DE", "00000000", 10), ("NL", "TEST", 10), ("FR", "0000000000", 13), ("ES", "00000000", 12)), draw
    )
    body = bank + _digits(more, draw)
    value = int("".join(str(int(sign, 36)) for sign in f"{body}{country}00"))
    whole = f"{country}{98 - value % 97:02d}{body}"
    grouped = " ".join(whole[at : at + 4] for at in range(0, len(whole), 4))
    return grouped if draw.random() < 0.5 else whole


def card(draw: Draw, *, valid: bool = True) -> str:
    """A card number whose check digit is right (Luhn, ISO/IEC 7812), or is not."""
    front = _pick(("400000000", "555555000", "601111000"), draw)
    digits = front + _digits(15 - len(front), draw)
    doubled = [int(sign) * (2 - place % 2) for place, sign in enumerate(digits)]
    check = -sum(number - 9 if number > 9 else number for number in doubled) % 10
    digits += str(check if valid else (check + 1 + int(draw.integers(9))) % 10)
    between = _pick((" ", "-", ""), draw)
    return between.join(digits[at : at + 4] for at in range(0, 16, 4))


def address(draw: Draw) -> str:
    """A public address of the internet protocol, of version 4 or, one time in three, 6."""
    parts = [int(draw.integers(77, 95)), *(int(draw.integers(1, 255)) for _ in range(3))]
    groups = ":".join(f"{int(draw.integers(1, 2**16)):x}" for _ in range(4))
    return _pick((".".join(map(str, parts)), ".".join(map(str, parts)), f"2a02:8109::{groups}"), draw)


def key(draw: Draw) -> str:
    """A key as services give them out; joined here, so that no scanner takes this file for one with some."""
    coded = [
        base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=")
        for part in ({"alg": "HS256"}, {"sub": _digits(9, draw)})
    ]
    upper = string.ascii_uppercase + string.digits
    ways = (
        "gh" + "p_" + _signs(36, draw), "AK" + "IA" + _signs(16, draw, upper), "AI" + "za" + _signs(35, draw),
        "xo" + "xb-" + _digits(12, draw) + "-" + _signs(24, draw), "gl" + "pat-" + _signs(20, draw),
        "sk" + "-" + _signs(48, draw), ".".join([*coded, _signs(43, draw)]),
    )  # fmt: skip
    return _pick(ways, draw)


VALUES: Mapping[str, Callable[[Draw], str]] = {
    "e-mail": email,
    "phone": phone,
    "IBAN": iban,
    "card": card,
    "IP": address,
    "key": key,
}


def sentence(kind: str, value: str, draw: Draw) -> str:
    """A sentence that tells a value."""
    return _pick(_SAID[kind], draw).format(value)


def alike(draw: Draw) -> str:
    """A sentence with numbers and signs that are nobody's."""
    hexes = {f"hex{size}": _signs(size, draw, "0123456789abcdef") for size in (3, 4, 8, 12, 40)}
    digits = {f"digits{size}": "1" + _digits(size - 1, draw) for size in (4, 5, 7, 9)}
    small = {name: int(draw.integers(1, 9)) for name in ("month",)} | {
        name: int(draw.integers(10, 28)) for name in ("day", "second")
    }
    return _pick(_ALIKE, draw).format(**hexes, **digits, **small, wrong_card=card(draw, valid=False))


def _pick(some: Sequence[T], draw: Draw) -> T:
    return some[int(draw.integers(len(some)))]


def _digits(count: int, draw: Draw) -> str:
    return _signs(count, draw, string.digits)


def _signs(count: int, draw: Draw, alphabet: str = _LETTERS) -> str:
    return "".join(alphabet[place] for place in draw.integers(len(alphabet), size=count).tolist())

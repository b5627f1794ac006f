"""Numbers of bank accounts (IBAN) and of payment cards, each told from other numbers by its check digits."""

import re
from collections.abc import Iterator

_IBAN_BEGINS = re.compile(r"(?<![\w-])(?:[A-Z]{2}\d{2}|[a-z]{2}\d{2})(?=[ \u00a0-]?[A-Za-z0-9])")
# Characters of an IBAN by country (SWIFT's registry).
# fmt: off
_IBAN_LENGTHS = {
    "AD": 24, "AE": 23, "AL": 28, "AT": 20, "AZ": 28, "BA": 20, "BE": 16, "BG": 22, "BH": 22, "BI": 27, "BR": 29,
    "BY": 28, "CH": 21, "CR": 22, "CY": 28, "CZ": 24, "DE": 22, "DJ": 27, "DK": 18, "DO": 28, "EE": 20, "EG": 29,
    "ES": 24, "FI": 18, "FK": 18, "FO": 18, "FR": 27, "GB": 22, "GE": 22, "GI": 23, "GL": 18, "GR": 27, "GT": 28,
    "HN": 28, "HR": 21, "HU": 28, "IE": 22, "IL": 23, "IQ": 23, "IS": 26, "IT": 27, "JO": 30, "KW": 30, "KZ": 20,
    "LB": 28, "LC": 32, "LI": 21, "LT": 20, "LU": 20, "LV": 21, "LY": 25, "MC": 27, "MD": 24, "ME": 22, "MK": 19,
    "MN": 20, "MR": 27, "MT": 31, "MU": 30, "NI": 28, "NL": 18, "NO": 15, "OM": 23, "PK": 24, "PL": 28, "PS": 29,
    "PT": 25, "QA": 29, "RO": 24, "RS": 22, "RU": 33, "SA": 24, "SC": 31, "SD": 18, "SE": 24, "SI": 19, "SK": 24,
    "SM": 27, "SO": 23, "ST": 25, "SV": 28, "TL": 23, "TN": 24, "TR": 26, "UA": 29, "VA": 22, "VG": 24, "XK": 20,
    "YE": 30,
}
# fmt: on
_BETWEEN = " \u00a0-"

# Neither a part of a decimal number nor of an identifier.
_CARD = re.compile(r"(?<![\w.,+-])\d(?:[ -]?\d){13,18}(?![\w-]|[.,]\d)")
# By the digits that a card begins with: how many it has (ISO/IEC 7812).
_BRANDS = (
    (re.compile(r"4"), (16, 18, 19)),  # Visa
    (re.compile(r"5[1-5]|222[1-9]|22[3-9]|2[3-6]|27[01]|2720"), (16,)),  # Mastercard
    (re.compile(r"3[47]"), (15,)),  # American Express
    (re.compile(r"3(?:0[0-5]|[689])"), (14, 16, 19)),  # Diners Club
    (re.compile(r"6011|64[4-9]|65|62|81"), (16, 17, 18, 19)),  # Discover, UnionPay, RuPay
    (re.compile(r"35(?:2[89]|[3-8])"), (16, 17, 18, 19)),  # JCB
    (re.compile(r"50|5[6-8]|6[37]|220[0-4]"), (16, 18, 19)),  # Maestro, Mir
)
_LAYOUTS = ((4, 4, 4, 4), (4, 6, 5), (4, 6, 4), (4, 4, 4, 4, 3), (4, 4, 4, 4, 2), (6, 13))


def ibans(text: str) -> Iterator[tuple[int, int]]:
    """Where IBANs stand: a country, as many characters as it says, and check digits by modulo 97."""
    for match in _IBAN_BEGINS.finditer(text):
        length = _IBAN_LENGTHS.get(match[0][:2].upper())
        end = _end_of(text, match.start(), length) if length else None
        if end is not None:
            compact = "".join(c for c in text[match.start() : end] if c.isalnum()).upper()
            if int("".join(str(int(c, 36)) for c in compact[4:] + compact[:4])) % 97 == 1:
                yield match.start(), end


def cards(text: str) -> Iterator[tuple[int, int]]:
    """Where numbers of cards stand: the beginning and length of a brand, a usual layout, Luhn's check digit."""
    for match in _CARD.finditer(text):
        digits = "".join(filter(str.isdigit, match[0]))
        known = any(brand.match(digits) and len(digits) in lengths for brand, lengths in _BRANDS)
        if known and _laid_out(match[0]) and _luhn(digits) and len(set(digits)) > 2:
            yield match.span()


def _end_of(text: str, start: int, length: int) -> int | None:
    """Where `length` letters and digits from `start` on end, if nothing but single blanks stands between."""
    place, seen = start, 0
    while place < len(text) and seen < length:
        char = text[place]
        if char.isascii() and char.isalnum():
            seen += 1
        elif char not in _BETWEEN or text[place - 1] in _BETWEEN:
            return None
        place += 1
    ended = seen == length and not text[place : place + 1].isalnum()
    return place if ended else None


def _laid_out(written: str) -> bool:
    parts = tuple(len(part) for part in re.split("[ -]", written))
    return len(parts) == 1 or (parts in _LAYOUTS and len(set(written) & {" ", "-"}) == 1)


def _luhn(digits: str) -> bool:
    total = 0
    for place, digit in enumerate(map(int, reversed(digits))):
        doubled = digit * 2 if place % 2 else digit
        total += doubled - 9 if doubled > 9 else doubled
    return total % 10 == 0

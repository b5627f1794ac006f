"""Numbers of bank accounts (IBAN) and of payment cards, each told from other numbers by its check digits."""

import re
from collections.abc import Iterator
from string import ascii_letters, digits

from tasks.prepare.clean.kinds import by_kind, signs

_LETTERS_AND_DIGITS = signs({"a": ascii_letters, "1": digits}, others="?")
_IBAN_BEGINS = re.compile(r"(?<![\w-])(?:[A-Z]{2}\d{2}|[a-z]{2}\d{2})(?=[ \u00a0-]?[A-Za-z0-9])")
# Characters of an IBAN by country (SWIFT's registry).
_REGISTRY = """
    AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BI27 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DJ27 DK18 DO28
    EE20 EG29 ES24 FI18 FK18 FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HN28 HR21 HU28 IE22 IL23 IQ23 IS26
    IT27 JO30 KW30 KZ20 LB28 LC32 LI21 LT20 LU20 LV21 LY25 MC27 MD24 ME22 MK19 MN20 MR27 MT31 MU30 NI28
    NL18 NO15 OM23 PK24 PL28 PS29 PT25 QA29 RO24 RS22 RU33 SA24 SC31 SD18 SE24 SI19 SK24 SM27 SO23 ST25
    SV28 TL23 TN24 TR26 UA29 VA22 VG24 XK20 YE30
"""
_IBAN_LENGTHS = {entry[:2]: int(entry[2:]) for entry in _REGISTRY.split()}
_BETWEEN = " \u00a0-"

# Neither a part of a decimal number nor of an identifier.
_CARD = re.compile(
    r"(?<![\w.,+-])(?:\d{4}([ -])\d{4}\1\d{4}\1\d{4}|\d{4}([ -])\d{6}\2\d{4,5}|\d{14,19})(?![\w-]|[.,]\d)"
)
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


def ibans(text: str) -> Iterator[tuple[int, int]]:
    """Where IBANs stand: a country, as many characters as it says, and check digits by modulo 97."""
    if b"aa11" not in by_kind(text, _LETTERS_AND_DIGITS):  # which is found sooner
        return
    for match in _IBAN_BEGINS.finditer(text):
        length = _IBAN_LENGTHS.get(match[0][:2].upper())
        end = _end_of(text, match.start(), length) if length else None
        if end is not None:
            compact = "".join(c for c in text[match.start() : end] if c.isalnum()).upper()
            if int("".join(str(int(c, 36)) for c in compact[4:] + compact[:4])) % 97 == 1:
                yield match.start(), end


def cards(text: str) -> Iterator[tuple[int, int]]:
    """Where numbers of cards stand: a brand's beginning and length, a usual layout, Luhn's check digit."""
    for match in _CARD.finditer(text):
        number = "".join(filter(str.isdigit, match[0]))
        known = any(brand.match(number) and len(number) in lengths for brand, lengths in _BRANDS)
        if known and _luhn(number) and len(set(number)) > 2:
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


def _luhn(number: str) -> bool:
    total = 0
    for place, digit in enumerate(map(int, reversed(number))):
        doubled = digit * 2 if place % 2 else digit
        total += doubled - 9 if doubled > 9 else doubled
    return total % 10 == 0

"""Telephone numbers: what is written like one, and is one by the numbering plans of `phonenumbers`."""

import re
from collections.abc import Iterator, Sequence

# With a country's code: +44 7700 900123. A sum such as 3 +4915112345 is none.
_INTERNATIONAL = re.compile(r"(?<![\w.)\]+])\+\d{1,15}(?:[ ./()\u00a0-]{1,3}\d{1,12}){0,6}(?![\w-]|\.\d)")
# As countries write their own: in groups, with a zero or an area in brackets before, or 3-3-4 as in America.
_NATIONAL = re.compile(
    r"(?<![\w.,+/$-])"
    r"(?:\(0\d{1,5}\)[ /-]?\d{2,8}(?:[ -]\d{2,5}){0,3}|\(\d{3}\)[ -]?\d{3}[-. ]\d{4}"
    r"|\d{3}([-. ])\d{3}\1\d{4}"
    r"|0\d{1,4}(?:[ /.\u00a0-]\d{2,8}){1,5})"
    r"(?![\w-]|[.,:/ ]\d)"
)
# Without any groups it is one only where the words before it say so.
_SOLID = re.compile(r"(?<![\w.,+/$-])\d{9,12}(?![\w-]|[.,:/]\d)")
_SAID = re.compile(
    r"\b(?:phone|telephone|tel|mobile|cell|call|calls|ring|dial|fax|whatsapp|sms|text|telefon|telefonnummer|handy|"
    r"mobil|rufnummer|rufe?n?|anrufen|t\u00e9l\u00e9phone|portable|appelez|tel\u00e9fono|m\u00f3vil|llame|telefono|"
    r"cellulare|telefone|telem\u00f3vel)\b[^\d\n\[(){}=]{0,24}$",
    re.IGNORECASE,
)
_PAIRS = re.compile(r"\d\d(?: \d\d)+")  # 01 99 00 12 34; or a part of a dump, if others stand before it
_DATE = re.compile(r"\d{1,2}([./-])\d{1,2}\1\d{4}")
_SEVERAL_DIGITS = re.compile(r"\d[^A-Za-z\n]{6,}")


def phones(text: str, regions: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Where telephone numbers stand; those without a country's code are one in any of the `regions`."""
    if not _SEVERAL_DIGITS.search(text):
        return
    for match in _INTERNATIONAL.finditer(text) if "+" in text else ():
        if _possible(match[0]):
            yield match.span()
    for pattern in (_NATIONAL, _SOLID):
        for match in pattern.finditer(text):
            before = text[max(0, match.start() - 40) : match.start()]
            is_part = _PAIRS.fullmatch(match[0]) and re.search(r"\d\d $", before)
            is_meant = pattern is _NATIONAL or _SAID.search(before)
            if is_meant and not is_part and _valid(match[0], regions):
                yield match.span()


def _possible(written: str) -> bool:
    """Whether a number with a country's code may be one: ranges kept for fiction are in no plan."""
    import phonenumbers

    try:
        number = phonenumbers.parse(written)
    except phonenumbers.NumberParseException:
        return False
    return len(str(number.national_number)) >= 7 and phonenumbers.is_possible_number(number)


def _valid(written: str, regions: Sequence[str]) -> bool:
    import phonenumbers

    digits = sum(map(str.isdigit, written))
    if not 9 <= digits <= 12 or _DATE.match(written):
        return False
    for region in regions:
        try:
            number = phonenumbers.parse(written, region)
        except phonenumbers.NumberParseException:
            continue
        if phonenumbers.is_valid_number_for_region(number, region):
            return True
    return False

"""What a text says in hexadecimal or binary digits, in base32, in escapes of Unicode, or backwards."""

import base64
import binascii
import re
from collections.abc import Iterator

_MANY = 8  # hidden texts read in one text
_HEX = re.compile(r"(?<![0-9A-Za-z])(?:[0-9a-f]{2}){12,2048}(?![0-9A-Za-z])", re.IGNORECASE)
_BINARY = re.compile(r"(?<![01])[01]{8}(?: [01]{8}){11,2048}(?![01])")
_BASE32 = re.compile(r"(?<![A-Z0-9])[A-Z2-7]{24,4096}={0,6}(?![A-Z0-9=])")
_ESCAPED = re.compile(r"(?:\\u[0-9a-fA-F]{4}){12,4096}")
_BACKWARDS = ("snoitcurtsni", "tpmorp", "erongi", "drawgersid")  # words of orders
# What a text has that may hold one, and few others: looked for first.
_DIGITS = re.compile(r"[0-9a-fA-F]{24}|[01]{8} [01]{8}|[A-Z2-7]{24}|\\u[0-9a-fA-F]{4}\\u")


def encoded(text: str) -> Iterator[str]:
    """The readable texts that stand in a text in other forms, as far as these are known here."""
    if _DIGITS.search(text):
        for number, found in enumerate(_runs(text)):
            if number == _MANY:
                break
            if found and all(letter.isprintable() or letter.isspace() for letter in found):
                yield found
    lowered = text.lower()
    if any(map(lowered.__contains__, _BACKWARDS)):
        yield text[::-1]


def _runs(text: str) -> Iterator[str]:
    for run in _HEX.finditer(text):
        yield _read(bytes.fromhex(run[0]))
    for run in _BINARY.finditer(text):
        yield _read(bytes(int(digits, 2) for digits in run[0].split()))
    for run in _BASE32.finditer(text):
        whole = run[0].rstrip("=")
        try:
            yield _read(base64.b32decode(whole + "=" * (-len(whole) % 8)))
        except binascii.Error:
            continue
    for run in _ESCAPED.finditer(text):
        letters = (chr(int(code, 16)) for code in run[0].split("\\u")[1:])
        yield "".join(letters)


def _read(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError:
        return ""

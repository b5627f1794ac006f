"""Drops rows that are no text: files in base64 or hexadecimal digits, and floods of log lines."""

import re
from collections.abc import Sequence

from tasks.prepare.clean.verdict import Reason
from tasks.prepare.clean_settings import CleanSettings
from tasks.prepare.signals.subject import taught
from tasks.rows.records import Row

# A SHA-512 has 128 digits, and may be the answer; a file is longer. Files are wrapped at 60 to 76 characters.
_LONGEST_SUM = 256
_SHORTEST_RUN = 40
_RUN = re.compile(rf"[A-Za-z0-9+/_=-]{{{_SHORTEST_RUN},}}")
_HEXADECIMAL = re.compile(r"[0-9a-f]+|[0-9A-F]+")
_BYTES = re.compile(r"(?:(?:\\x|0x)?[0-9A-Fa-f]{2}[\s,:]+){64,}")  # a dump, byte by byte
_NOT_OF_DUMPS = bytes(byte for byte in range(256) if chr(byte) not in r"0123456789abcdefABCDEF,:\x")
_STAMPED = re.compile(
    r"\W{0,2}(?:\d{4}[-/]\d\d[-/]\d\d[T ]\d\d:\d\d|\w{3} [ \d]\d \d\d:\d\d:\d\d|\d\d:\d\d:\d\d|\d{10}\.\d+"
    r"|\d\d?/\w{3}/\d{4}:\d\d:\d\d)"
)
_FEWEST_LINES = 30  # of a log; a few are quoted to show what they look like


def blob(row: Row, settings: CleanSettings) -> Reason | None:
    """A row whose answer or text is bytes or log lines for more than `blobs.max_share` of its characters."""
    text = taught(row)
    words = text.split()
    whole = sum(map(len, words))
    most = settings.blobs.max_share * whole
    needed = max(most, _LONGEST_SUM)
    if 2 * whole > _LONGEST_SUM and (found := _encoded(text, words, needed)) > needed:
        return Reason("blob", f"{found} of {whole} characters are bytes")
    lines = [line for line in text.split("\n") if line.strip()]
    stamped = [line for line in lines if _STAMPED.match(line)] if len(lines) >= _FEWEST_LINES else []
    if len(stamped) >= _FEWEST_LINES and sum(len("".join(line.split())) for line in stamped) > most:
        return Reason("blob", f"{len(stamped)} of {len(lines)} lines are of a log")
    return None


def _encoded(text: str, words: Sequence[str], needed: float) -> int:
    """How many characters stand in runs that spell bytes; `words` are what blanks part in the text.

    Less than there are where they are no more than `needed` anyway.
    """
    long = "\n".join(word for word in words if len(word) >= _SHORTEST_RUN)
    runs = sum(len(run[0]) for run in _RUN.finditer(long) if _spells_bytes(run[0]))
    # A dump is looked for only where there are enough characters that one may have.
    left = len(text.encode("ascii", "replace").translate(None, _NOT_OF_DUMPS))
    if runs + left <= needed:
        return runs
    return runs + sum(len("".join(dump[0].split())) for dump in _BYTES.finditer(text))


def _spells_bytes(run: str) -> bool:
    """Whether a run is of hexadecimal digits, or mixes cases and digits as no name and no path does."""
    if _HEXADECIMAL.fullmatch(run):
        return True
    digits, capitals = sum(map(str.isdigit, run)), sum(map(str.isupper, run))
    return digits * 20 >= len(run) and capitals * 5 >= len(run) and capitals * 5 <= 4 * len(run)

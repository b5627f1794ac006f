"""When a row was written, as its source tells it: ISO 8601, or seconds or milliseconds since 1970."""

import re
from datetime import UTC, datetime

_NUMBER = re.compile(r"\d+(?:\.\d*)?(?:[eE]\+?\d+)?")
_DAY = re.compile(r"\d{8}")
# A smaller number is none of seconds: 2024 is a year, and 1973 lies before all that is asked of a model.
_FIRST, _MILLISECONDS = 1e8, 1e11
_LAST = 253402300800.0  # the year 10000


def read_time(told: str) -> float | None:
    """Seconds since 1970 (UTC) of a date, a date with a time of day, or a number; None for anything else.

    A date is its beginning, and what names no zone is UTC. `01/02/2024` is none: it is two days.
    """
    text = told.strip()
    if _NUMBER.fullmatch(text) and not _DAY.fullmatch(text):
        number = float(text)
        seconds = number if number < _MILLISECONDS else number / 1000
        return seconds if _FIRST <= seconds < _LAST else None
    try:
        found = datetime.fromisoformat(text)
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return None


def told_time(seconds: float) -> str:
    """A time as people read it, in UTC."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(sep=" ", timespec="seconds")

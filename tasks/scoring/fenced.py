"""Finds what a machine would read in an answer."""

import re

_FENCE = re.compile(r"```[ \t]*\w*[ \t]*\n(.*?)(?:\n[ \t]*```|\Z)", re.DOTALL)


def fenced(text: str) -> str:
    """What stands in the first fenced block of `text`, or all of it where there is none."""
    found = _FENCE.search(text)
    return (found.group(1) if found else text).strip()

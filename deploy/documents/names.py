"""How a document may be called: its name stands in addresses and lists."""

import re

NAME_WANTED = "take up to 300 characters, without .. as a part"
_NAME = re.compile(r"[^\x00-\x1f\x7f]{1,300}")


def is_name(text: str) -> bool:
    """Whether a document may be called so."""
    return _NAME.fullmatch(text) is not None and ".." not in text.split("/")

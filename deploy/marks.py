"""Takes marks such as role tokens out of a text, however they are nested, in one pass."""

import re
from collections.abc import Callable

LONGEST_ROLE = 64  # characters between the bars of a role token
ROLE_TOKEN = re.compile(rf"<\|[^|<>\s]{{1,{LONGEST_ROLE}}}\|>")  # `<|im_start|>`, whatever a model calls it

Ending = Callable[[str], int]


def without_marks(text: str, *, ends: frozenset[str], longest: int, ending: Ending) -> str:
    """`text` without any mark: also none that its remains would form.

    `ends` are the characters that a mark can end with, `longest` is the length of the longest one, and
    `ending` says how many characters the mark has that a text ends with, 0 where it ends with none. Taking
    marks out again and again until none is left gives the same text in quadratic time: a message of nested
    marks kept a server busy for minutes.
    """
    kept: list[str] = []
    for character in text:
        kept.append(character)
        if character in ends and (length := ending("".join(kept[-longest:]))):
            del kept[-length:]
    return "".join(kept)

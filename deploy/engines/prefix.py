"""What rows of tokens begin with alike: it need run through a model but once."""

from collections.abc import Sequence


def common_prefix(rows: Sequence[Sequence[int]]) -> int:
    """How many leading tokens all rows have in common; each keeps at least one of its own."""
    first, last = min(map(list, rows)), max(map(list, rows))  # in the order of words: all others lie between
    longest = min(map(len, rows)) - 1
    return next((at for at in range(longest) if first[at] != last[at]), longest)

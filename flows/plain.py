"""Text that comes from data, as a terminal may show it."""

import unicodedata


def plain(text: str, most: int | None = None) -> str:
    """The text with control characters spelled out: printed, they could rewrite what stands before them.

    What is longer than `most` characters is cut, and says so.
    """
    shown = text if most is None else text[:most]
    safe = "".join(
        character
        if character in "\n\t" or unicodedata.category(character) not in ("Cc", "Cf", "Cs", "Zl", "Zp")
        else character.encode("unicode_escape").decode()
        for character in shown
    )
    left = len(text) - len(shown)
    return f"{safe}\u2026 ({left:,} characters more)" if left else safe


def on_a_line(text: str, most: int) -> str:
    """The text on one line, cut where it is longer than `most` characters."""
    line = plain(" ".join(text.split()))
    return line if len(line) <= most else f"{line[: most - 1]}\u2026"

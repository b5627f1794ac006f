"""What forgetting is measured on: text and prompts from outside any task. No training row may hold them."""

import re
from collections.abc import Collection, Iterable
from pathlib import Path

GENERAL, PROMPTS = (Path(__file__).with_name(name) for name in ("general.txt", "prompts.txt"))
RUN = 6  # words in a row that make an overlap: fewer are common by chance

Gram = tuple[str, ...]
_WORD = re.compile(r"\w+")


def passages(path: Path = GENERAL) -> list[str]:
    """The passages of a text, which blank lines part."""
    return [part.strip() for part in path.read_text(encoding="utf-8").split("\n\n") if part.strip()]


def probe_grams() -> frozenset[Gram]:
    """The runs of words of all that stands in the probe."""
    return frozenset(gram for path in (GENERAL, PROMPTS) for text in passages(path) for gram in grams(text))


def grams(text: str) -> set[Gram]:
    """The runs of `RUN` words in a text, whatever the case and the punctuation; a shorter text is one run."""
    words = _WORD.findall(text.casefold())
    return {tuple(words[at : at + RUN]) for at in range(max(len(words) - RUN, 0) + 1)}


def overlaps(texts: Iterable[str], runs: Collection[Gram]) -> bool:
    """Whether one of the texts has one of the `runs` of words."""
    return any(not grams(text).isdisjoint(runs) for text in texts)

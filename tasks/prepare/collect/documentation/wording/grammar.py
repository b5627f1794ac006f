"""Frames with alternatives, one in five of which training never sees.

A frame is a sentence with slots (`{p}`) and alternatives (`[what is|what's|]`, nested at will). What is held
out are whole frames, not drawn sentences: a wording that a test asks differs in its build from all that were
trained on.
"""

import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tasks.rows.records import FOR_VALIDATION

UNSEEN_WORDING = "unseen wording"
UNSEEN_PACKAGE = "unseen package"
_INNERMOST = re.compile(r"\[([^\[\]]*)\]")
_BLANKS = re.compile(r" {2,}")


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame of a list; `held_out` is what it is held out for, empty where training may use it."""

    text: str
    held_out: str


def folded(frames: Sequence[str]) -> list[Frame]:
    """The frames with their fold: of ten, two are for the test, one is for validation.

    Which ones follows from the place in the list, so that a frame added at the end moves none before it.
    """
    return [Frame(text, _fold(place)) for place, text in enumerate(frames)]


def _fold(place: int) -> str:
    if place % 5 == 4:
        return UNSEEN_WORDING
    return FOR_VALIDATION if place % 10 == 2 else ""


def choose(frames: Sequence[str], draw: random.Random, *, unseen: bool = False) -> Frame:
    """One of the frames; with `unseen` one that is held out for the test."""
    among = [frame for frame in folded(frames) if frame.held_out == UNSEEN_WORDING or not unseen]
    return draw.choice(among)


def expanded(text: str, draw: random.Random) -> str:
    """The frame with one of each of its alternatives."""
    while match := _INNERMOST.search(text):
        text = text[: match.start()] + draw.choice(match[1].split("|")) + text[match.end() :]
    return _BLANKS.sub(" ", text).strip()


def filled(text: str, slots: Mapping[str, str]) -> str:
    """The sentence with its slots filled; values are put in as they are, whatever they contain."""
    return re.sub(r"\{(\w+)\}", lambda match: slots[match[1]], text)

"""What a keyboard does to a sentence: greetings, small letters, missing marks, slips."""

import random
import re

from tasks.prepare.collect.documentation.wording.grammar import expanded

_BEFORE = "[hi,|hey,|hello!|hi there,|quick question:|sorry,|ok so|question:|help please,|one more thing:]"
_AFTER = "[thanks|thx|please|thank you!|cheers|many thanks]"
_WORD = re.compile(r"(?<![\w{`'])[A-Za-z]{5,}(?![\w}`'])")


def spoken(text: str, draw: random.Random) -> str:
    """A frame as it may be typed: its slots stay whole, for names are filled in afterwards."""
    if draw.random() < 0.08:
        text = slipped(text, draw)
    if draw.random() < 0.45:
        text = text[:1].lower() + text[1:]
    if draw.random() < 0.25:
        text = text.removesuffix("?")
    if draw.random() < 0.12:
        text = f"{expanded(_BEFORE, draw)} {text}"
    if draw.random() < 0.08:
        text = f"{text} {expanded(_AFTER, draw)}"
    return text


def slipped(text: str, draw: random.Random) -> str:
    """`text` with a slip in one of its longer words: two letters change places, one is lost or doubled."""
    words = list(_WORD.finditer(text))
    if not words:
        return text
    word = draw.choice(words)
    at = draw.randrange(1, len(word[0]) - 1)
    letters = word[0]
    match draw.randrange(3):
        case 0:
            letters = letters[:at] + letters[at + 1] + letters[at] + letters[at + 2 :]
        case 1:
            letters = letters[:at] + letters[at + 1 :]
        case _:
            letters = letters[:at] + letters[at] + letters[at:]
    return text[: word.start()] + letters + text[word.end() :]

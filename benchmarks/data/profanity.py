"""What the signal `profanities` finds: planted words in disguises, and answers that people preferred or not.

That people rejected an answer is a weak label: most are rejected for what they say and not for a word, and
some that were chosen quote one. So the table says how often such a word is there, and no more.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from tasks.prepare.signals.profanity import profanities

PREFERENCES = ("hh_harmless_train.jsonl", "hh_harmless_val.jsonl")
CLEAN = ("tldr_pages.jsonl", "squad_dev.jsonl", "perlfaq_qa.jsonl")
_PLANTED = (
    "fuck", "fucking", "shit", "bullshit", "bitch", "asshole", "bastard", "cunt", "slut", "faggot", "wanker",
    "whore",
)  # fmt: skip
_DIGITS = str.maketrans("aioes", "@1035")
DISGUISES: Mapping[str, Callable[[str], str]] = {
    "as it is": lambda word: word,
    "in capitals, with signs": lambda word: f'"{word.upper()}!"',
    "digits for letters": lambda word: word.translate(_DIGITS),
    "a letter repeated": lambda word: word.replace(word[1], word[1] * 4, 1),
    "letters apart": " ".join,
    "letters with dots": ".".join,
    "a vowel masked": lambda word: re.sub("[aeiou]", "*", word, count=1),
}
_INNOCENT = (
    "Scunthorpe", "shiitake", "assess", "class", "cockpit", "Dickens", "bass", "therapist", "analysis",
    "a * b", "x**2", "$hits", "f_k", "s*t", "hello", "shift", "arsenal", "titmouse", "mass-produced", "grape",
    "cumulative", "basement", "Essex",
)  # fmt: skip


def measured(folder: Path) -> dict[str, Any]:
    """Planted words found by disguise, innocent ones; and the rows of each file of `folder` that have one."""
    found = {name: sum(map(_has, map(disguise, _PLANTED))) for name, disguise in DISGUISES.items()}
    planted: dict[str, Any] = {name: [count, len(_PLANTED)] for name, count in found.items()}
    planted["innocent words"] = [sum(map(_has, _INNOCENT)), len(_INNOCENT)]
    read: dict[str, Any] = {}
    for part in ("prompt", "chosen", "rejected"):
        texts = [row[part] for name in PREFERENCES for row in _rows(folder / name)]
        read[f"preferences: {part}"] = [sum(map(_has, texts)), len(texts)]
    for name in CLEAN:
        texts = ["\n".join(map(str, row.values())) for row in _rows(folder / name)]
        read[name] = [sum(map(_has, texts)), len(texts)]
    return {"planted": planted, "read": {name: told for name, told in read.items() if told[1]}}


def _has(text: str) -> bool:
    return profanities(text.lower().split()) > 0


def _rows(path: Path) -> Iterator[Mapping[str, Any]]:
    lines: Sequence[str] = path.read_text(encoding="utf-8").splitlines() if path.is_file() else ()
    return map(json.loads, lines)

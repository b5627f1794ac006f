"""How much personal data is found, and how much text is touched that holds none."""

from collections import Counter
from typing import Any

import numpy as np

from benchmarks.data.made import Made, records
from benchmarks.data.personal import VALUES, alike, sentence
from benchmarks.data.scoring import remains, same
from tasks.prepare.clean.steps import clean_rows
from tasks.prepare.clean_settings import CleanSettings
from tasks.rows.records import Rows

_PLANTED = 0.6  # share of the texts that hold a value; the others only look as if they did


def measured(count: int, settings: CleanSettings, *, seed: int = 0) -> dict[str, Any]:
    """By kind how many values were planted and are gone, and how many clean texts were touched, of `count`.

    A text that is dropped counts as found where it holds a value, as touched where it does not; `reasons` say
    why texts were dropped.
    """
    made = texts(count, seed=seed)
    verdict = clean_rows(Rows.of(each.example() for each, _, _ in made), settings)
    left = {row.id: (row.prompt[-1].content, row.answer) for row in verdict.rows.examples}
    kinds: dict[str, Counter[str]] = {kind: Counter(planted=0, found=0) for kind in VALUES}
    clean: Counter[str] = Counter(texts=0, touched=0)
    for each, kind, value in made:
        text = left.get(each.id)
        if kind:
            kinds[kind].update(planted=1, found=text is None or not remains(value, text))
        else:
            clean.update(texts=1, touched=text is None or not same(text, (each.prompt, each.answer)))
    reasons = Counter(row.reason for row in verdict.dropped)
    return {
        "kinds": {kind: dict(some) for kind, some in kinds.items()},
        "clean": dict(clean),
        "reasons": dict(reasons),
    }


def texts(count: int, *, seed: int) -> list[tuple[Made, str, str]]:
    """So many questions with answers, each with the kind and the value that stands in it (empty: none)."""
    draw = np.random.default_rng([seed, 7])
    plain = (each for each in records(2 * count + 100, seed=seed) if each.kind == "plain")
    made: list[tuple[Made, str, str]] = []
    for number, each in zip(range(count), plain, strict=False):
        kind = list(VALUES)[number % len(VALUES)] if number < _PLANTED * count else ""
        value = VALUES[kind](draw) if kind else ""
        said = sentence(kind, value, draw) if kind else alike(draw)
        asked, answer = each.prompt, each.answer
        if draw.random() < 0.5:
            asked = f"{asked} {said}"
        else:
            answer = f"{answer} {said}"
        made.append((Made(id=each.id, prompt=asked, answer=answer, kind=kind or "plain"), kind, value))
    return made

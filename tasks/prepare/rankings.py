"""What people think of served answers, as rankings: a line for each conversation, for the source `feedback`.

A thumb up is worth 1, one down 0, and what somebody has written instead of a bad answer as much as a good
one. Equal answers are one, worth the mean of what is said of them, as several people's ranks are.
"""

import json
import re
from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import Any

from deploy.answer import citations
from deploy.feedback.store import Rated, Rating
from deploy.messages import as_dicts
from deploy.prompts.template import Source
from tasks.prepare.collect.addresses import address_of
from tasks.rows.identity import PromptKey, prompt_key

WORTH: Mapping[Rating, float] = {"up": 1.0, "down": 0.0}

# Not from within a run of blanks: each of them would be tried with each.
_MARK = re.compile(r"(?<!\s)\s*\[(\d{1,3})\]")


def rankings(rated: Sequence[Rated]) -> list[dict[str, Any]]:
    """The ranking of the answers to each conversation, in the order of the first of them.

    `evidence` holds the addresses of the documents that good answers cite, and `answers` the ids of all.
    Marks are taken out: training puts in those of the sources that it finds.
    """
    conversations: dict[PromptKey, list[Rated]] = {}
    for each in rated:
        conversations.setdefault(prompt_key(each.answer.conversation), []).append(each)
    return [_ranking(same) for same in conversations.values()]


def as_lines(records: Sequence[Mapping[str, Any]]) -> str:
    """Rankings as JSONL."""
    return "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records)


def _ranking(rated: Sequence[Rated]) -> dict[str, Any]:
    opinions = [opinion for each in rated for opinion in _opinions(each)]
    worths: dict[str, list[float]] = {}
    for text, worth, _ in opinions:
        worths.setdefault(text, []).append(worth)
    ratings = {text: fmean(told) for text, told in worths.items()}
    evidence = [name for text, _, cited in opinions if ratings[text] > 0.5 for name in cited]
    return {
        "prompt": as_dicts(rated[0].answer.conversation),
        "responses": list(ratings),
        "ratings": list(ratings.values()),
        "label": "human",
        "evidence": list(dict.fromkeys(evidence)),
        "answers": [each.answer.id for each in rated],
    }


def _opinions(rated: Rated) -> list[tuple[str, float, list[str]]]:
    """The answer, and the better one where there is one: text, worth, and the addresses of what it cites."""
    told = [(rated.answer.text, WORTH[rated.rating])]
    if rated.better is not None:
        told.append((rated.better, WORTH["up"]))
    shown = {source.number: source for source in rated.answer.sources}
    return [
        (
            _without_marks(text, shown),
            worth,
            [address_of(shown[number].uri) for number in citations(text) if number in shown],
        )
        for text, worth in told
    ]


def _without_marks(text: str, shown: Mapping[int, Source]) -> str:
    """The text without the marks of sources that were shown; the `[3]` of `a[3]` may be none."""
    return _MARK.sub(lambda mark: "" if int(mark[1]) in shown else mark[0], text).strip()

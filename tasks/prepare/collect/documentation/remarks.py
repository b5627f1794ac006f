"""Rows of small talk, and of questions that no documentation answers."""

import random
from collections.abc import Sequence

from deploy.abstention import ABSTENTION
from deploy.messages import Message
from tasks.prepare.collect.documentation.wording.grammar import Frame, expanded, folded
from tasks.prepare.collect.documentation.wording.surface import spoken
from tasks.prepare.collect.documentation.wording.talk import OFF_TOPIC, SMALL_TALK
from tasks.prepare.collect.identifiers import identifier, rank
from tasks.prepare.collect_settings import PackagesSource
from tasks.rows.records import Example

_TRIES = 4  # sentences drawn for each that is wanted: a frame with few alternatives gives the same again


def small_talk(settings: PackagesSource, questions: int, *, seed: int) -> list[Example]:
    """Rows of the tasks `talk` and `off_topic`, as shares of so many `questions`; no remark comes twice."""
    said = [(frame, reply) for reply, frames in SMALL_TALK for frame in folded(frames)]
    asked = [(frame, ABSTENTION) for frame in folded(OFF_TOPIC)]
    talk = _rows(said, round(settings.talk * questions), "talk", seed)
    return [*talk, *_rows(asked, round(settings.off_topic * questions), "off_topic", seed)]


def _rows(frames: Sequence[tuple[Frame, str]], count: int, task: str, seed: int) -> list[Example]:
    rows: dict[str, Example] = {}
    for turn in range(count * _TRIES):
        if len(rows) >= count:
            break
        place = rank(seed, task, turn)
        frame, reply = frames[place % len(frames)]
        draw = random.Random(place)
        text = spoken(expanded(frame.text, draw), draw)
        rows.setdefault(text.lower(), _row(text, reply, task, frame))
    return list(rows.values())


def _row(text: str, reply: str, task: str, frame: Frame) -> Example:
    return Example(
        id=identifier("packages", task, text),
        source="packages",
        task=task,
        messages=(Message("user", text), Message("assistant", reply)),
        evidence=(),
        quote="",
        withheld=(),
        answerable=reply != ABSTENTION,
        group=f"{task} {frame.text}",
        held_out=frame.held_out,
    )

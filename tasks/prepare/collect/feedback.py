"""Source `feedback`: what people think of served answers, of which some make pairs."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from tasks.machine.disk import say_if_unwatched
from tasks.prepare.collect.columns import Shape
from tasks.prepare.collect.files import refused
from tasks.prepare.collect.opinions import preferences
from tasks.prepare.collect.pieces import Given, Note, Piece, Told
from tasks.prepare.collect.readers import Fault, read_records
from tasks.prepare.collect.values import WrongShapeError
from tasks.prepare.collect_settings import FeedbackSource
from tasks.rows.records import Dropped, Preference

SHAPE = Shape(
    name="ranking",
    kind="preference",
    columns={name: name for name in ("prompt", "responses", "ratings")},
)


def read_feedback(settings: FeedbackSource, *, watched: Path) -> Given:
    """A pair of each two answers to a conversation of which people hold one for better.

    A conversation without such two is unused: a thumb by itself compares nothing. A file that is not there
    has no rows.

    Raises:
        SourceError: the file cannot be opened, or has an ending that is not known.
    """
    path = settings.path
    say_if_unwatched(path, watched)

    def finish(notes: Sequence[Note]) -> dict[str, Any]:
        conversations, unused = 0, Counter[str]()
        for note in notes:
            conversations += note.told["conversations"]
            unused += Counter(note.told["unused"])
            lost = sum(note.lost.get("preference", {}).values())
            told = f", {lost} could not be read" if lost else ""
            lone = f"{unused.total()} of them without a pair"
            pairs = note.rows.get("preference", 0)
            print(f"{path.name}: {conversations} conversations, {lone}; {pairs} pairs{told}")
        if not notes:
            print(f"{path.name}: not there yet, threeply feedback export writes it")
        return {
            "path": path.as_posix(),
            "conversations": conversations,
            "unpaired": dict(sorted(unused.items())),
        }

    name = path.as_posix()
    piece = Piece(name=name, marks=("feedback", name), rows=partial(_pairs, path), path=path, files=[name])
    return Given(pieces=[piece] if path.exists() else (), finish=finish)


def _pairs(path: Path, told: Told) -> Iterator[Preference | Dropped]:
    source, count, unused = path.as_posix(), 0, Counter[str]()
    for count, entry in enumerate(read_records(path), start=1):  # noqa: B007  # it is told behind the loop
        if isinstance(entry, Fault):
            yield refused(source, SHAPE, entry)
        elif reason := unpaired(entry.values):
            unused[reason] += 1
        else:
            try:
                pairs = preferences(SHAPE, entry.values, source)
            except WrongShapeError as error:
                yield refused(source, SHAPE, Fault(entry.line, error.reason, str(error)))
            else:
                yield from pairs
    told |= {"conversations": count, "unused": dict(sorted(unused.items()))}


def unpaired(ranking: Mapping[str, Any]) -> str:
    """Why a ranking makes no pair; empty where it does, or is none."""
    ratings = ranking.get("ratings")
    if not isinstance(ratings, list) or not ratings or any(each != ratings[0] for each in ratings):
        return ""
    worth = ratings[0]
    if not isinstance(worth, int | float):
        return ""
    if worth >= 1:
        return "only_up"
    return "only_down" if worth <= 0 else "up_and_down"

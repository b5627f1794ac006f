"""Source `feedback`: what people think of served answers, of which some make pairs."""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tasks.machine.disk import say_if_unwatched
from tasks.prepare.collect.columns import Shape
from tasks.prepare.collect.files import refused
from tasks.prepare.collect.identifiers import Collected
from tasks.prepare.collect.opinions import preferences
from tasks.prepare.collect.readers import Fault, read_records
from tasks.prepare.collect.values import WrongShapeError
from tasks.prepare.collect_settings import FeedbackSource
from tasks.rows.records import Dropped, Preference, Rows

SHAPE = Shape(
    name="ranking",
    kind="preference",
    columns={name: name for name in ("prompt", "responses", "ratings")},
)


def read_feedback(settings: FeedbackSource, *, watched: Path) -> Collected:
    """A pair of each two answers to a conversation of which people hold one for better.

    A conversation without such two is unused: a thumb by itself compares nothing. A file that is not there
    has no rows.

    Raises:
        SourceError: the file cannot be opened, or has an ending that is not known.
    """
    path = settings.path
    say_if_unwatched(path, watched)
    found = list(read_records(path)) if path.exists() else []
    pairs: list[Preference] = []
    dropped: list[Dropped] = []
    unused: Counter[str] = Counter()
    for entry in found:
        if isinstance(entry, Fault):
            dropped.append(refused(path.as_posix(), SHAPE, entry))
        elif reason := unpaired(entry.values):
            unused[reason] += 1
        else:
            try:
                pairs += preferences(SHAPE, entry.values, path.as_posix())
            except WrongShapeError as error:
                dropped.append(refused(path.as_posix(), SHAPE, Fault(entry.line, error.reason, str(error))))
    if path.exists():
        lost = f", {len(dropped)} could not be read" if dropped else ""
        lone = f"{unused.total()} of them without a pair"
        print(f"{path.name}: {len(found)} conversations, {lone}; {len(pairs)} pairs{lost}")
    else:
        print(f"{path.name}: not there yet, threeply feedback export writes it")
    return Collected(
        rows=Rows.of(pairs),
        dropped=tuple(dropped),
        unused=unused,
        figures={
            "path": path.as_posix(),
            "conversations": len(found),
            "unpaired": dict(sorted(unused.items())),
        },
    )


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

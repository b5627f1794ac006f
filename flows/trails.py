"""What `threeply rows why` prints: each stage that had a row, why it went no further, and its text."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from flows.errors import TraceError
from flows.plain import plain

if TYPE_CHECKING:
    from tasks.prepare.clean_settings import CleanSettings
    from tasks.prepare.tracing.stored import Stored
    from tasks.prepare.tracing.trails import Trail
    from tasks.rows.records import Row

SHOWN = 2000  # characters of a text
_MOST_COPIES = 10  # that are named


def trail_lines(
    root: Path, stored: "Stored", settings: "CleanSettings", row_id: str, *, whole: bool
) -> Iterator[str]:
    """The lines on all rows with this id; texts are cut unless they are wanted `whole`.

    Raises:
        TraceError: no row has the id.
    """
    from tasks.prepare.tracing.trails import trails

    found = trails(root, stored, row_id, settings)
    if not found:
        raise TraceError(_unknown(stored, row_id))
    for trail in found:
        yield from _trail(trail, None if whole else SHOWN)


def _unknown(stored: "Stored", name: str) -> str:
    """That no row has this id, with those that are spelled like it."""
    import difflib

    ids = list(dict.fromkeys(each for _, each in stored.ids()))
    near = difflib.get_close_matches(name, ids[:20_000], n=3) or [each for each in ids if name in each][:3]
    hint = f"; like it are {', '.join(near)}" if near else ""
    return f"no row has the id {name!r}{hint}. threeply rows lost lists those that went no further"


def _trail(trail: "Trail", most: int | None) -> Iterator[str]:
    yield f"{trail.kind} {plain(trail.id)}, from {plain(trail.source)}"
    for event in trail.events:
        told = f": {plain(event.reason)}" if event.reason else ""
        yield f"  {event.stage:<9} {event.outcome}{told}{f' ({plain(event.detail)})' if event.detail else ''}"
    if trail.judged is not None:
        told = ", ".join(f"{name} {_spelled(value)}" for name, value in trail.judged.items())
        yield f"  what was judged: {told}"
    for line in trail.lines:
        yield from _indented("what stands there", line, most)
    for version in trail.versions:
        yield from _text(f"as it was {version.state}", version.row, most)
    if trail.stands_for:
        more = len(trail.stands_for) - _MOST_COPIES
        named = ", ".join(map(plain, trail.stands_for[:_MOST_COPIES]))
        yield f"\nit stands for {named}{f' and {more} more' if more > 0 else ''}"
    for other in trail.counterparts:
        yield f"\n{other.relation} {plain(other.id)} ({other.fate})"
        for row in other.rows:
            yield from _text("", row, most)
    yield ""


def _text(title: str, row: "Row", most: int | None) -> Iterator[str]:
    from tasks.rows.records import Document, Example, Preference

    parts: list[tuple[str, str]]
    match row:
        case Example():
            parts = [(turn.role, turn.content) for turn in row.messages]
        case Preference():
            parts = [(turn.role, turn.content) for turn in row.prompt]
            parts += [("chosen", row.chosen), ("rejected", row.rejected)]
        case Document():
            parts = [("title", row.title), ("uri", row.uri), ("text", row.text)]
    if title:
        yield f"  {title}"
    for name, text in parts:
        yield from _indented(name, text, most)


def _indented(name: str, text: str, most: int | None) -> Iterator[str]:
    first, *more = plain(text, most).split("\n")
    yield f"    {name}: {first}"
    yield from (f"      {line}" for line in more)


def _spelled(value: object) -> str:
    return ("yes" if value else "no") if isinstance(value, bool) else str(value)

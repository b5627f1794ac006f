"""What stands in a source where a row could not be read; the stages keep its place and never its text."""

import json
import re
from pathlib import Path

from tasks.errors import SourceError
from tasks.prepare.collect.corrections import LEFT_OUT
from tasks.prepare.collect.readers import Record, read_records, text_line
from tasks.rows.records import Dropped

_PLACE = re.compile(r"(?:(?P<file>.+?) )?line (?P<line>\d+): ")


def line_of(root: Path, lost: Dropped) -> str:
    """The line that `collect` could not read, or the reason why it cannot be shown."""
    place = _PLACE.match(lost.detail)
    if place is None:
        by_people = "people have left it out: see the source `corrections` of params.yaml"
        return by_people if lost.reason == LEFT_OUT else "it is a file of its own: see there"
    path = root / lost.source
    if place["file"]:
        path /= place["file"]
    if not path.is_file():
        return f"{path} is not there any more"
    number = int(place["line"])
    try:
        line = text_line(path, number)
        if line is not None:
            return line
        entry = next((entry for entry in read_records(path) if entry.line == number), None)
    except SourceError as error:
        return str(error)
    if not isinstance(entry, Record):
        return f"{path} has changed since: its row {number} is another one"
    return json.dumps(entry.values, ensure_ascii=False, default=str)

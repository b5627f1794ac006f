"""Records of JSON lines: an object a line."""

import json
from collections.abc import Iterator
from pathlib import Path

from tasks.prepare.collect.readers.packed import lines, text_bytes
from tasks.prepare.collect.readers.record import Fault, Record

MOST_BYTES = 64 * 2**20  # of a line; parsed, a longer one could take gigabytes


def read_jsonl(path: Path) -> Iterator[Record | Fault]:
    """The record of each line that is not blank."""
    with text_bytes(path) as file:
        for number, line in lines(file, MOST_BYTES):
            if line is None:
                yield Fault(number, "too_long", f"more than {MOST_BYTES // 2**20} MiB")
                continue
            content = line.removeprefix(b"\xef\xbb\xbf") if number == 1 else line
            if content.strip():
                yield _record(number, content)


def _record(number: int, line: bytes) -> Record | Fault:
    try:
        values = json.loads(line.decode("utf-8"))
        if b"\\u" in line:  # an escape may stand for half a character
            json.dumps(values, ensure_ascii=False).encode("utf-8")
    except UnicodeError as error:
        return Fault(number, "not_utf8", getattr(error, "reason", "invalid text"))
    except json.JSONDecodeError as error:
        return Fault(number, "broken_json", f"column {error.colno}: {error.msg}")
    except (ValueError, RecursionError) as error:
        return Fault(number, "broken_json", type(error).__name__)
    if not isinstance(values, dict):
        return Fault(number, "wrong_shape", f"a {type(values).__name__}, not an object")
    return Record(number, values)

"""Files of rows for tests, and what comes of them."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from deploy.messages import Message
from tasks.prepare.collect.files import read_file
from tasks.prepare.collect.identifiers import Collected
from tasks.prepare.collect.pieces import in_memory
from tasks.prepare.collect_settings import FileSource

QUESTION = Message("user", "Why?")


ANSWER = Message("assistant", "Because.")


def read(path: Path, columns: Mapping[str, str] | None = None) -> Collected:
    source = FileSource(kind="file", path=path, columns=dict(columns or {}))
    return in_memory(read_file(source, watched=path.parent))


def jsonl(path: Path, *rows: Mapping[str, Any]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path

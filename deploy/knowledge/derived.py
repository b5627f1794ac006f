"""The derived indexes on disk: written beside the truth, and believed only while their checksums hold."""

from pathlib import Path
from typing import Any

from deploy.atomic import write_json
from deploy.errors import KnowledgeError
from deploy.files import parse_json, sha256_of
from deploy.knowledge.dense import DenseIndex
from deploy.knowledge.lexical import LexicalIndex

DENSE = "dense.faiss"
LEXICAL = "lexical"
RECORD = "derived.json"


def write_derived(folder: Path, truth: Path, *, dense: DenseIndex, lexical: LexicalIndex) -> None:
    """Write both indexes into `folder`, with a record of the truth that they came from."""
    dense.write(folder / DENSE)
    lexical.save(folder / LEXICAL)
    write_json(folder / RECORD, {"truth": sha256_of(truth), "files": _checksums(folder)})


def read_derived(
    folder: Path, truth: Path, *, rows: int, dimensions: int
) -> tuple[DenseIndex, LexicalIndex] | None:
    """Both indexes, or None where one is missing, damaged, or came from another truth."""
    try:
        record = parse_json((folder / RECORD).read_bytes(), dict[str, Any])
        if record != {"truth": sha256_of(truth), "files": _checksums(folder)}:
            return None
        dense = DenseIndex.read(folder / DENSE, rows=rows, dimensions=dimensions)
        return dense, LexicalIndex.load(folder / LEXICAL, rows=rows)
    except (OSError, ValueError, KnowledgeError):
        return None


def _checksums(folder: Path) -> dict[str, str]:
    paths = [folder / DENSE, *sorted((folder / LEXICAL).iterdir())]
    return {path.relative_to(folder).as_posix(): sha256_of(path) for path in paths}

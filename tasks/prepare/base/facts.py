"""What the report says of a model: read from its files, without loading it."""

import re
from pathlib import Path
from typing import Any

from deploy.files import read_json
from tasks.errors import SourceError
from tasks.machine.tensors import tensor_sizes


def model_facts(folder: Path) -> dict[str, Any]:
    """Parameters, dtypes, context length and size of the model in `folder`."""
    parameters = 0
    dtypes: set[str] = set()
    for dtype, count in tensor_sizes(folder):
        if "F" in dtype:  # F32, BF16...: counters and position ids are no parameters
            parameters += count
            dtypes.add(dtype)
    return {
        "parameters": parameters,
        "dtype": ", ".join(sorted(dtypes)),
        "context_length": _context_length(folder),
        "bytes": sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()),
    }


def card_licence(folder: Path) -> str:
    """The licence in the head of the model card README.md; empty if there is none."""
    card = folder / "README.md"
    if not card.is_file():
        return ""
    head = re.match(r"---\n(.*?)\n---", card.read_text(encoding="utf-8", errors="replace"), re.DOTALL)
    said = re.search(r"^license:\s*(\S+)", head[1], re.MULTILINE) if head else None
    return said[1] if said else ""


def _context_length(folder: Path) -> int | None:
    """Tokens that the model reads at most; a sentence encoder states its own limit beside the model's."""
    for file, key in (
        ("sentence_bert_config.json", "max_seq_length"),
        ("config.json", "max_position_embeddings"),
    ):
        path = folder / file
        if path.is_file():
            config = read_json(path, dict[str, Any], error=SourceError, advice="fetch the model anew")
            if isinstance(value := config.get(key), int):
                return value
    return None

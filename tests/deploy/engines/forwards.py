"""What a call of a model reads."""

from collections.abc import Mapping
from typing import Any


def tokens_of(named: Mapping[str, Any]) -> int:
    """How many tokens a call of a model with these arguments reads for its first row, less padding."""
    width = int(named["input_ids"].shape[1])
    seen = named.get("attention_mask")
    return width if seen is None or not width else int(seen[0, -width:].sum())

"""Lays some settings over others: what a profile does to params.yaml, and a variant to its section."""

from collections.abc import Mapping
from typing import Any


def overlay(values: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """`values` with those of `over` in their place, mappings key by key, anything else as a whole."""
    merged = dict(values)
    for key, value in over.items():
        here = values.get(key)
        both = isinstance(here, Mapping) and isinstance(value, Mapping)
        merged[key] = overlay(here, value) if both else value  # type: ignore[arg-type]
    return merged

"""The schemas of the sections `run` and `parallel` of params.yaml; and settings laid over others."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field

from deploy.settings import Count, Section

# As transformers calls them; auto is what it takes for the family: sdpa, or eager where that is not exact.
AttnImplementation = Literal["auto", "sdpa", "eager", "flash_attention_2"]


class RunSettings(Section):
    """What holds for every stage."""

    seed: Annotated[int, Field(ge=0, lt=2**32)]
    threads: Literal["auto"] | Count
    precision: Literal["auto", "float32", "bfloat16"]
    attn_implementation: AttnImplementation


class ParallelSettings(Section):
    """Where the stages that prepare rows work on shards; none of it changes what they make."""

    executor: Literal["local", "ray"]
    workers: Literal["auto"] | Count


def overlay(values: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """`values` with those of `over` in their place: mappings key by key, anything else as a whole.

    An empty mapping empties what was there.
    """
    merged = dict(values)
    for key, value in over.items():
        here = values.get(key)
        both = isinstance(here, Mapping) and isinstance(value, Mapping) and len(value) > 0
        merged[key] = overlay(here, value) if both else value  # type: ignore[arg-type]
    return merged

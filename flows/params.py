"""Changes single values in the text of params.yaml: comments, order and layout stay as people have them."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from deploy.atomic import write_text
from deploy.errors import SettingsError

if TYPE_CHECKING:
    from ruamel.yaml.nodes import Node

PARAMS = Path("params.yaml")
Value = int | float | str
_NUMBERS = ("tag:yaml.org,2002:int", "tag:yaml.org,2002:float")
_WORDS = ("tag:yaml.org,2002:str",)


def write_values(path: Path, values: Mapping[str, Value]) -> None:
    """Put each of `values`, by names such as `retrieval.top_k`, in the place of the one that is there.

    A text is one that needs no quotes.

    Raises:
        SettingsError: the file has no such value, or one of another kind: a number, or a text.
    """
    from ruamel.yaml import YAML

    text = path.read_text(encoding="utf-8")
    whole = YAML(typ="safe", pure=True).compose(text)
    places = sorted((*_place(whole, name, path, value), told(value)) for name, value in values.items())
    for begin, end, written in reversed(places):
        text = text[:begin] + written + text[end:]
    write_text(path, text)


def told(value: Value) -> str:
    """A value as it stands in the file."""
    return value if isinstance(value, str) else f"{value:.12g}"


def _place(node: "Node", name: str, path: Path, value: Value) -> tuple[int, int]:
    """Where what `value` replaces stands below `node`: its first character, and that behind its last."""
    from ruamel.yaml.nodes import MappingNode, ScalarNode

    for part in name.split("."):
        found = (
            [value for key, value in node.value if key.value == part] if isinstance(node, MappingNode) else []
        )
        if len(found) != 1:
            raise SettingsError(f"{path} has no {name} to set; write it there by hand")
        node = found[0]
    kind, tags = ("text", _WORDS) if isinstance(value, str) else ("number", _NUMBERS)
    if not isinstance(node, ScalarNode) or node.tag not in tags:
        raise SettingsError(f"{name} in {path} is no {kind}; set it there by hand")
    return node.start_mark.index, node.end_mark.index

"""Changes single values in the text of params.yaml: comments, order and layout stay as people have them."""

from collections.abc import Mapping
from pathlib import Path

from deploy.atomic import write_text
from deploy.errors import SettingsError

PARAMS = Path("params.yaml")
Number = int | float
_NUMBERS = ("tag:yaml.org,2002:int", "tag:yaml.org,2002:float")


def write_numbers(path: Path, values: Mapping[str, Number]) -> None:
    """Put each of `values`, by names such as `retrieval.top_k`, in the place of the number that is there.

    Raises:
        SettingsError: the file has no such value, or no number there.
    """
    text = path.read_text(encoding="utf-8")
    places = sorted((*_place(text, name, path), f"{value:g}") for name, value in values.items())
    for begin, end, written in reversed(places):
        text = text[:begin] + written + text[end:]
    write_text(path, text)


def _place(text: str, name: str, path: Path) -> tuple[int, int]:
    """Where the value called `name` stands in `text`: its first character, and that behind its last."""
    from ruamel.yaml import YAML
    from ruamel.yaml.nodes import MappingNode, ScalarNode

    node = YAML(typ="safe", pure=True).compose(text)
    for part in name.split("."):
        found = (
            [value for key, value in node.value if key.value == part] if isinstance(node, MappingNode) else []
        )
        if len(found) != 1:
            raise SettingsError(f"{path} has no {name} to set; write it there by hand")
        node = found[0]
    if not isinstance(node, ScalarNode) or node.tag not in _NUMBERS:
        raise SettingsError(f"{name} in {path} is no number; set it there by hand")
    return node.start_mark.index, node.end_mark.index

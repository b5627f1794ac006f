"""What a dataset of Hugging Face says of itself in the front matter of its README."""

from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

README = "README.md"


def front_matter(folder: Path) -> dict[str, Any]:
    """The mapping at the head of the README there; empty where it says nothing that can be read."""
    try:
        text = (folder / README).read_text(encoding="utf-8")
        if not text.startswith("---\n"):
            return {}
        found = YAML(typ="safe", pure=True).load(text[4:].partition("\n---")[0])
    except (OSError, UnicodeDecodeError, YAMLError):
        return {}  # nothing is said there; the rows are none the worse for it
    return found if isinstance(found, dict) else {}

"""What the pages for people share: one style, escaping that is always on, and no address outside."""

import re
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

STYLE = Path(__file__).parent


def environment(templates: Path) -> Environment:
    """What renders the templates in the folder `templates`; they may include `style.css`."""
    made = Environment(
        loader=FileSystemLoader([templates, STYLE]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["prose"] = prose
    return made


def prose(text: str) -> Markup:
    """`text` for a page: what stands in backticks is set as code."""
    return Markup(re.sub(r"`+([^`]+)`+", r"<code>\1</code>", str(escape(text))))  # noqa: S704 - escaped first

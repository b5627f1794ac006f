"""Markdown and plain text, which stay as they are, but for what stands before a Markdown file's text."""

import re

from deploy.documents.reading.charsets import plain_text
from deploy.documents.reading.reading import Reading
from deploy.knowledge.headings import first_heading

# Between two lines of dashes: nothing, or lines of which the first names a key. Else these are rules.
_FRONT_MATTER = re.compile(
    r"\A---[ \t]*\n(?:[\w\"'][^\n:]*:(?:[ \t][^\n]*)?\n(?:(?!---)[^\n]*\n)*)?---[ \t]*\n"
)


def read_markdown(content: bytes, declared: str = "") -> Reading:
    """The text without its front matter, titled by its first heading.

    Raises:
        DocumentError: it is no text.
    """
    text = _FRONT_MATTER.sub("", plain_text(content, declared).replace("\r\n", "\n"))
    return Reading(title=first_heading(text), text=text)


def read_text(content: bytes, declared: str = "") -> Reading:
    """The text; plain text has no title.

    Raises:
        DocumentError: it is no text.
    """
    return Reading(title="", text=plain_text(content, declared).replace("\r\n", "\n"))

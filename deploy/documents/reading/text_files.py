"""Markdown and plain text, which stay as they are, but for what stands before a Markdown file's text."""

import re

from deploy.documents.reading.charsets import plain_text
from deploy.documents.reading.reading import Reading

_FRONT_MATTER = re.compile(r"\A---\n.*?\n---\n", re.DOTALL)
_CODE = re.compile(r"^ {0,3}(```|~~~).*?^ {0,3}\1", re.MULTILINE | re.DOTALL)
_HEADING = re.compile(r"^#{1,6}\s+(.+?)\s*#*\s*$", re.MULTILINE)


def read_markdown(content: bytes, declared: str = "") -> Reading:
    """The text without its front matter, titled by its first heading.

    Raises:
        DocumentError: it is no text.
    """
    text = _FRONT_MATTER.sub("", plain_text(content, declared).replace("\r\n", "\n"))
    heading = _HEADING.search(_CODE.sub("", text))  # a # in a block of code is a comment
    return Reading(title=heading[1] if heading else "", text=text)


def read_text(content: bytes, declared: str = "") -> Reading:
    """The text; plain text has no title.

    Raises:
        DocumentError: it is no text.
    """
    return Reading(title="", text=plain_text(content, declared).replace("\r\n", "\n"))

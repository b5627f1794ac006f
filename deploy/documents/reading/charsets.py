"""Bytes as text: in which encoding they are, whatever they say of themselves."""

import codecs
import re

from deploy.errors import DocumentError

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_META = re.compile(rb"""<meta[^>]{0,500}?charset\s*=\s*["']?\s*([\w.:-]{1,40})""", re.IGNORECASE)
_DECLARATION = re.compile(rb"""^\s*<\?xml[^>]{0,200}?encoding\s*=\s*["']([\w.:-]{1,40})""", re.IGNORECASE)
_LOOKED_AT = 4096  # bytes; the standard asks for the declaration in the first 1024
# Names of text encodings that pages and clients use, by the codec of Python. Others are no encoding of text
# (`hex`, `idna`), or one that lets text be something else than its bytes say (`utf-7`, `unicode_escape`).
_KNOWN = re.compile(
    r"ascii|utf-8|utf-16(-[bl]e)?|iso8859-\d+|cp\d+|koi8-[rut]|mac-(roman|cyrillic)|gb2312|gbk|gb18030|"
    r"big5(hkscs)?|shift_jis|euc_(jp|kr)|iso2022_jp|hz|tis-620"
)
_LIKE_UTF_8 = (
    "iso2022_jp",
    "hz",
    "utf-16",
    "utf-16-le",
    "utf-16-be",
)  # their bytes often are, and mean others


def plain_text(content: bytes, declared: str = "") -> str:
    """The text of a file without markup: UTF-8, or as `declared` beside it.

    Raises:
        DocumentError: it is no text in that encoding, or nothing.
    """
    marked = _marked(content)
    for codec in filter(None, (marked, _codec(declared), "utf-8")):
        if (text := _decoded(content, codec)) is not None:
            return _checked(text)
    raise DocumentError("it is no text in UTF-8; if it is text, save it as UTF-8", reason="not_utf8")


def html_text(content: bytes, declared: str = "") -> str:
    """The markup of a page.

    Bytes that are UTF-8 are read so, whatever they are said to be: other text is hardly ever UTF-8 by chance.
    What is neither that nor as declared is read as Windows' encoding of Western languages, as browsers do.

    Raises:
        DocumentError: it is no text in any of these, or nothing.
    """
    said = _codec(declared) or _declared_inside(content)
    order = (_marked(content), said if said in _LIKE_UTF_8 else "", "utf-8", said, "cp1252")
    for codec in filter(None, order):
        if (text := _decoded(content, codec)) is not None:
            return _checked(text)
    raise DocumentError("it is no text in any known encoding; save it as UTF-8", reason="not_utf8")


def _declared_inside(content: bytes) -> str:
    head = content[:_LOOKED_AT]
    found = _META.search(head) or _DECLARATION.match(head)
    codec = _codec(found[1].decode("ascii")) if found else ""
    return "" if codec.startswith("utf-16") else codec  # it could not have been read as ASCII


def _marked(content: bytes) -> str:
    return next((codec for mark, codec in _MARKS if content.startswith(mark)), "")


def _codec(name: str) -> str:
    """Python's codec for a declared name; empty where it is no encoding of text that is known."""
    try:
        codec = codecs.lookup(name.strip().strip("\"'")).name
    except (LookupError, ValueError):
        return ""
    if codec in ("iso8859-1", "ascii"):
        return "cp1252"  # what is meant by them on the web
    return codec if _KNOWN.fullmatch(codec) else ""


def _decoded(content: bytes, codec: str) -> str | None:
    try:
        return content.decode(codec)
    except UnicodeDecodeError:
        return None


def _checked(text: str) -> str:
    if "\0" in text:
        raise DocumentError("it is no text: it holds a NUL", reason="no_text")
    if not text.strip():
        raise DocumentError("it is empty", reason="no_text")
    return text

"""Protects that text is read in the encoding that it is in, and that what is no text is refused."""

import pytest

from deploy.documents.reading.charsets import html_text, plain_text
from deploy.errors import DocumentError

CAFE = "<p>Caf\u00e9 \u201c1 \u20ac\u201d</p>"
META = '<meta charset="{}">'


@pytest.mark.parametrize(
    ("content", "declared"),
    [
        (CAFE.encode(), ""),
        (CAFE.encode("utf-8-sig"), "latin-1"),
        (CAFE.encode("utf-16"), ""),
        (CAFE.encode("cp1252"), ""),
        (CAFE.encode("cp1252"), "iso-8859-1"),
        (CAFE.encode("cp1252"), "utf-8"),  # a wrong declaration
        (CAFE.encode(), "windows-1252"),  # another
        (CAFE.encode("cp1252"), "utf-7"),  # none that is taken
        (CAFE.encode("cp1252"), "zlib"),
    ],
)
def test_a_page_is_read_whatever_it_is_said_to_be(content: bytes, declared: str) -> None:
    assert html_text(content, declared) == CAFE


@pytest.mark.parametrize("name", ["koi8-r", "Shift_JIS", "windows-1251", "gb18030", "ISO-2022-JP"])
def test_the_encoding_that_a_page_declares_is_used(name: str) -> None:
    words = "\u3042" if "j" in name.lower() else "\u0436"
    page = META.format(name) + words
    assert html_text(page.encode(name)) == page
    assert html_text(f'<?xml version="1.0" encoding="{name}"?>{words}'.encode(name)).endswith(words)
    assert html_text(words.encode(name), name) == words


def test_a_page_that_names_utf_16_in_ascii_is_not_in_it() -> None:
    assert html_text(META.format("utf-16").encode() + b"abc") == META.format("utf-16") + "abc"


def test_plain_text_is_utf_8_or_as_declared() -> None:
    assert plain_text(b"\xef\xbb\xbfCaf\xc3\xa9") == "Caf\u00e9"
    assert plain_text("Caf\u00e9".encode("utf-16")) == "Caf\u00e9"
    assert plain_text(b"Caf\xe9", "latin-1") == "Caf\u00e9"


@pytest.mark.parametrize(
    ("content", "declared", "reason"),
    [(b"Caf\xe9", "", "not_utf8"), (b"a\0b", "", "no_text"), (b" \n", "", "no_text"), (b"", "", "no_text")],
)
def test_what_is_no_text_is_refused(content: bytes, declared: str, reason: str) -> None:
    with pytest.raises(DocumentError) as refused:
        plain_text(content, declared)
    assert refused.value.reason == reason


def test_a_binary_file_is_no_page() -> None:
    for content in (b"\x89PNG\r\n\x1a\n\0\0", b"\x81\x8d\x8f"):
        with pytest.raises(DocumentError):
            html_text(content)

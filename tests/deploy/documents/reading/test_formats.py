"""Protects the way into all readers: any bytes give text or a sentence, and nothing hostile gets further."""

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from deploy.documents.reading.apart import read_apart
from deploy.documents.reading.child import MOST_CHARACTERS
from deploy.documents.reading.elements import BLOCKS, CODE, VOID
from deploy.documents.reading.formats import FORMATS, Format, by_suffix, by_type, read_document, read_file
from deploy.documents.reading.html_files import read_html
from deploy.errors import DocumentError
from tests.deploy.documents.reading.pdfs import drawn, pdf

TAGS = st.sampled_from(
    sorted(BLOCKS | VOID | CODE | {"a href=#", "sup", "script", "title", "span class=classifier"})
)
PIECES = (
    st.builds("<{}{}>".format, st.sampled_from(["", "", "/"]), TAGS)
    | st.sampled_from(
        ["<td rowspan=3 colspan=2>", "<!--", "-->", "<![", "]]>", "<", "&#x0;", "&amp", "`", "\x0b"]
    )
    | st.text(max_size=3)
)
ZOO = pdf([drawn([(11, 600, "The canary sings.")])])


@given(st.lists(PIECES).map("".join))
@settings(max_examples=100)
def test_any_tags_give_text_or_a_sentence(markup: str) -> None:
    with suppress(DocumentError):
        assert read_html(markup.encode()).text.strip()


@given(
    st.sampled_from(FORMATS),
    st.binary(max_size=400) | st.integers(0, len(ZOO)).map(lambda at: ZOO[:at] + ZOO[at + 9 :]),
)
@example(by_type("application/pdf"), ZOO.replace(b"/Kids [5 0 R]", b"/Kids [2 0 R]"))
@settings(max_examples=12)
def test_any_bytes_give_text_or_a_sentence(kind: Format, content: bytes) -> None:
    with suppress(DocumentError):
        assert read_document(content, kind).text.strip()


def test_a_format_is_known_by_suffix_and_by_type() -> None:
    for name, kind in (
        ("a.MD", "text/markdown"),
        ("a.txt", "text/plain"),
        ("a.htm", "text/html"),
        ("b.PDF", "application/pdf"),
    ):
        assert by_suffix(Path(name)) is by_type(kind) is not None
    assert by_suffix(Path("a.docx")) is by_type("image/png") is None


@pytest.mark.parametrize(
    ("content", "title", "text"),
    [
        (
            b"---\na: 1\n---\n```\n# no\n```\n\n## A title ##\r\nText",
            "A title",
            "```\n# no\n```\n\n## A title ##\nText",
        ),
        (b"\xef\xbb\xbfNo heading #", "", "No heading #"),
        (b"---\n---\n# A\n\n---\nb", "A", "# A\n\n---\nb"),
        (b"---\n\nThis matters.\n\nUsage\n---\nb\n", "", "---\n\nThis matters.\n\nUsage\n---\nb\n"),
        (b"---\na: 1\n\nb:\n  - 2\n---\nText", "", "Text"),
    ],
)
def test_markdown_stays_as_it_is_under_its_first_heading(content: bytes, title: str, text: str) -> None:
    reading = read_document(content, by_suffix(Path("a.md")))
    assert (reading.title, reading.text) == (title, text)


def test_front_matter_alone_is_no_text() -> None:
    with pytest.raises(DocumentError, match="there is no text in it"):
        read_document(b"---\na: 1\n---\n", by_suffix(Path("a.md")))


def test_a_file_is_read_by_its_suffix_and_refused_where_it_cannot_be(tmp_path: Path) -> None:
    (tmp_path / "zoo.PDF").write_bytes(ZOO)
    assert read_file(tmp_path / "zoo.PDF").text == "The canary sings."
    (tmp_path / "folder.md").mkdir()
    with (tmp_path / "huge.md").open("wb") as file:
        file.truncate(300 * 2**20)
    for name, reason in (("folder.md", "unreadable"), ("a.docx", "other_format"), ("huge.md", "too_large")):
        with pytest.raises(DocumentError) as refused:
            read_file(tmp_path / name)
        assert refused.value.reason == reason


def test_a_bomb_ends_its_own_process_and_nothing_else() -> None:
    bomb = pdf([b"BT /F1 9 Tf " + b"(A) Tj " * 10_000_000], packed=2)
    assert len(bomb) < 2000
    with pytest.raises(DocumentError) as refused:
        read_apart(bomb, "pdf", seconds=1)
    assert refused.value.reason in {"too_slow", "too_large", "damaged"}


def test_a_page_that_takes_its_reader_too_long_is_given_up() -> None:
    with pytest.raises(DocumentError, match="to read it takes longer than 1 s; split it") as refused:
        read_apart(b"<!--" * 200_000, "html", seconds=1)
    assert refused.value.reason == "too_slow"


def test_too_much_text_is_refused() -> None:
    with pytest.raises(DocumentError, match=f"at most {MOST_CHARACTERS} are read") as refused:
        read_apart(b"<p>" + b"word " * (MOST_CHARACTERS // 5 + 1), "html")
    assert refused.value.reason == "too_large"


def test_a_reader_that_fails_or_lacks_memory_says_so() -> None:
    with pytest.raises(DocumentError, match="its reader has failed") as refused:
        read_apart(b"", "no such format")
    assert refused.value.reason == "damaged"
    with pytest.raises(DocumentError, match="takes more than 1024 MiB of memory"):
        read_apart(b"<p>" + b"x" * (400 * 2**20), "html")


def test_the_process_knows_no_secret_and_no_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file called json.py where the server stands is not taken for Python's."""
    (tmp_path / "json.py").write_text("raise SystemExit('taken')")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONSTARTUP", str(tmp_path / "json.py"))
    assert read_apart(b"<p>text", "html", "utf-8; drop").text == "text"

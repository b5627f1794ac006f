"""Protects that pieces say what they stand under, and that texts without headings stay as they are."""

from hypothesis import given
from hypothesis import strategies as st

from deploy.knowledge.chunking import KnowledgeDocument, chunk_documents, split_text
from deploy.knowledge.headings import Section, sections

HANDBOOK = """# Handbook

Welcome.

## Holidays ##
Thirty days a year.

### Sick leave
Call us.

## Pay

### Day of pay

On the first.

## Appendix
"""
LINES = st.lists(
    st.sampled_from(
        ["# a", "## b c", "### d", "#", "#x", "```", "~~~", "", "e f", "g. h", "    # i", "# j ##"]
    )
)


def bodies(text: str, *, title: str = "Handbook", max_words: int = 12) -> list[str]:
    document = KnowledgeDocument(id="a", uri="file:a", title=title, text=text)
    return [chunk.body for chunk in chunk_documents([document], max_words=max_words)]


def test_each_piece_begins_with_its_headings_but_for_the_title() -> None:
    assert bodies(HANDBOOK) == [
        "Welcome.",
        "Holidays\nThirty days a year.",
        "Holidays > Sick leave\nCall us.",
        "Pay > Day of pay\nOn the first.",
        "Appendix",
    ]
    assert bodies(HANDBOOK, title="Work")[0] == "Handbook\nWelcome."


def test_a_long_section_says_its_heading_in_each_piece() -> None:
    text = "## Holidays\n\n" + "It is one day. " * 6
    assert bodies(text, max_words=9) == ["Holidays\nIt is one day. It is one day."] * 3


def test_of_many_headings_the_lowest_have_room() -> None:
    section = Section(("one two", "three four", "five"), "x")
    assert section.above("", max_words=9) == "one two > three four > five"
    assert section.above("", max_words=6) == "three four > five"
    assert section.above("", max_words=1) == "five"
    assert section.above("five", max_words=2) == "three four"


def test_comments_in_code_and_long_lines_are_no_headings() -> None:
    code = "```sh\n# not one\nls\n```\n\n~~~\n# nor this\n```\n# nor that\n~~~"
    assert sections(f"{code}\n# One\nx", max_words=4) == [Section((), code), Section(("One",), "x")]
    assert sections("# a b c d e\nx", max_words=4) == [Section((), "# a b c d e\nx")]
    assert sections("#include <x>\n#", max_words=4) == [Section((), "#include <x>\n#")]


def test_signs_that_close_a_heading_stand_behind_a_blank() -> None:
    assert sections("## A title ##\nx", max_words=4) == [Section(("A title",), "x")]
    assert sections("# C#\nx", max_words=4) == [Section(("C#",), "x")]
    assert sections("# ##\nx", max_words=4) == [Section((), "# ##\nx")]


def test_a_heading_with_a_long_run_of_blanks_is_read_at_once() -> None:
    line = f"# a{' ' * 100_000}b"  # a pattern with two ends tries each blank with each: days
    assert sections(f"{line}\nx", max_words=4) == [Section((line[2:],), "x")]


def test_a_title_alone_can_be_found() -> None:
    assert bodies("# Handbook\n") == ["Handbook"]
    assert bodies("# Handbook\n## Pay\n") == ["Pay"]
    assert bodies(" \n") == []


@given(text=st.text(st.sampled_from("ab #.\n`"), max_size=200).filter(lambda text: "# " not in text))
def test_a_text_without_headings_is_cut_as_it_was(text: str) -> None:
    assert bodies(text) == split_text(text, max_words=12)


@given(lines=LINES, max_words=st.integers(12, 20))
def test_no_word_is_lost_and_those_of_the_text_keep_their_order(lines: list[str], max_words: int) -> None:
    text = "\n".join(lines)
    found = sections(text, max_words=max_words // 2)
    said = " ".join(bodies(text, max_words=max_words)).split()
    assert {word for word in text.split() if set(word) != {"#"}} <= {*said, "Handbook"}
    below = iter(text.split())
    assert all(word in below for section in found for word in section.text.split())
    assert all(len(body.split()) <= max_words for body in bodies(text, max_words=max_words))

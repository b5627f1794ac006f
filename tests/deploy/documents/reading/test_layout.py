"""Protects how lines of pages become Markdown: what belongs together, and what is no part of the text."""

from deploy.documents.reading.layout import Line, as_markdown, without_repeated


def page(*texts: str, size: float = 10.0, start: float = 700.0) -> list[Line]:
    """A page of lines at the usual distance."""
    return [Line(text, size, start - 12.0 * at) for at, text in enumerate(texts)]


def text(*pages: list[Line]) -> str:
    return as_markdown(list(pages))[1]


def test_a_hyphen_stays_where_the_word_has_it_elsewhere() -> None:
    lines = page(
        "A well-", "known bird, well-known for its sing-", "ing; X-", "Ray and 3-", "fold and -", "x."
    )
    assert text(lines) == "A well-known\nbird, well-known for its singing;\nX-\nRay and 3-\nfold and -\nx."


def test_a_word_and_a_sentence_go_on_on_the_next_page() -> None:
    assert (
        text(page("The bird is fed by the kee-"), page("per at noon."))
        == "The bird is fed by the keeper\nat noon."
    )
    assert text(page("It is fed."), page("it sings.")) == "It is fed.\n\nit sings."


def test_a_larger_gap_a_bullet_and_another_column_begin_a_paragraph() -> None:
    lines = [
        *page("One", "two."),
        *page("Three.", start=640.0),
        *page("\u2022 Four", start=628.0),
        *page("Column."),
    ]
    assert text(lines) == "One\ntwo.\n\nThree.\n\n- Four\n\nColumn."


def test_larger_lines_are_headings_by_their_size_and_long_ones_are_none() -> None:
    long = "word " * 50
    pages = [
        *page("Zoo", size=20.0),
        *page("Birds and", "bees", size=14.0, start=650.0),
        *page("Text. " * 99),
    ]
    title, told, _ = as_markdown([[*pages, *page(long.strip(), size=20.0, start=500.0)]])
    assert title == "Zoo"
    assert told.startswith("# Zoo\n\n## Birds and bees\n\nText.")
    assert told.endswith(f"\n\n{long.strip()}")


def trimmed(*pages: list[Line]) -> list[list[str]]:
    return [[line.text for line in each] for each in without_repeated(list(pages), usual=10.0)]


def test_numbered_headers_go_though_each_chapter_has_its_own() -> None:
    pages = [
        page(f"Chapter {at // 2}, page {at + 11} of 20", f"{at * 7} cages", f"end {at}0") for at in range(4)
    ]
    assert trimmed(*pages) == [[f"{at * 7} cages", f"end {at}0"] for at in range(4)]


def test_a_numbered_heading_on_each_page_stays() -> None:
    pages = [[*page(f"Lesson {at}", size=14.0), *page("abcd"[at], start=650.0)] for at in range(4)]
    assert trimmed(*pages) == [[f"Lesson {at}", "abcd"[at]] for at in range(4)]


def test_lines_that_repeat_inside_or_on_two_pages_or_differ_in_a_number_stay() -> None:
    assert trimmed(page("Note", "x"), page("Note", "y")) == [["Note", "x"], ["Note", "y"]]
    inside = ["a", "b", "Note", "c", "d"]
    assert (
        trimmed(*[page(*(f"{each}{at}" if each != "Note" else each for each in inside)) for at in "xyz"])[0][
            2
        ]
        == "Note"
    )
    prices = [page(f"Price: {price} EUR") for price in (45, 12, 99)]
    assert trimmed(*prices) == [[f"Price: {price} EUR"] for price in (45, 12, 99)]


def test_where_all_lines_repeat_they_stay() -> None:
    assert trimmed(*[page("Closed") for _ in range(5)]) == [["Closed"]] * 5


def test_the_dots_of_a_table_of_contents_are_few() -> None:
    assert text(page("1 Birds . . . . . . . . 7", "2 Bees ........ 9")) == "1 Birds ... 7\n2 Bees ... 9"

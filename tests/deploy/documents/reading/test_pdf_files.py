"""Protects what is read of a PDF: its lines as they are seen, or a sentence why there are none."""

import pytest

from deploy.documents.reading.pdf_files import MOST_PAGES, read_pdf
from deploy.errors import DocumentError
from tests.deploy.documents.reading.pdfs import PICTURE, drawn, pdf

ZOO = drawn(
    [
        (24, 700, "A guide to the zoo"),
        (11, 660, "The canary (a bird) sings in the aqua-"),
        (11, 646, "rium, from 8 \\ 9 to 17."),
        (11, 600, "It is fed at noon."),
    ]
)


def test_lines_become_a_heading_and_paragraphs_with_whole_words() -> None:
    reading = read_pdf(pdf([ZOO]))
    assert reading.title == "A guide to the zoo"
    assert reading.text == (
        "# A guide to the zoo\n\n"
        "The canary (a bird) sings in the aquarium,\nfrom 8 \\ 9 to 17.\n\nIt is fed at noon."
    )
    assert reading.notes == ()


@pytest.mark.parametrize(
    ("named", "title"),
    [
        ("Zoo, 3rd edition", "Zoo, 3rd edition"),
        ("zoo_final.DOCX", "A guide to the zoo"),
        (" ", "A guide to the zoo"),
    ],
)
def test_a_title_that_a_person_has_given_wins(named: str, title: str) -> None:
    assert read_pdf(pdf([ZOO], title=named)).title == title


def test_headers_and_footers_go_and_are_counted() -> None:
    birds = [f"The {bird} is fed at noon by whoever is there" for bird in ("jay", "wren", "owl", "gull")]
    pages = [
        drawn([(9, 760, "The zoo, 3rd edition"), (11, 660, f"{bird}."), (9, 40, f"- {at + 8} -")])
        for at, bird in enumerate(birds)
    ]
    reading = read_pdf(pdf(pages))
    assert reading.text == "\n\n".join(f"{bird}." for bird in birds)
    assert reading.notes == ("8 lines that repeat at the edges of its pages were left out",)


def test_pages_of_pictures_among_text_are_told() -> None:
    reading = read_pdf(pdf([ZOO, PICTURE, b"", PICTURE]))
    assert reading.notes == ("2 of its pages have pictures and no text, maybe scanned: 2, 4",)


@pytest.mark.parametrize(
    ("content", "reason", "told"),
    [
        (pdf([PICTURE]), "no_text", "there is no text in it; it may be scanned"),
        (pdf([]), "damaged", "it is no PDF, or damaged"),
        (pdf([ZOO], encrypted=True), "encrypted", "it is encrypted; save a copy without a password"),
        (pdf([ZOO])[:-40], "damaged", "its end is missing"),
        (b"%PDF-1.4 and nothing more %%EOF", "damaged", "it is no PDF, or damaged"),
        (b"", "damaged", "its end is missing"),
        (pdf([b""] * (MOST_PAGES + 1)), "too_large", f"it has {MOST_PAGES + 1} pages"),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_reason(content: bytes, reason: str, told: str) -> None:
    with pytest.raises(DocumentError, match=told) as refused:
        read_pdf(content)
    assert refused.value.reason == reason


def test_too_much_text_is_refused_before_it_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("deploy.documents.reading.pdf_files.MOST_CHARACTERS", 50)
    with pytest.raises(DocumentError, match="its first 1 pages have more than 50 characters; split it"):
        read_pdf(pdf([ZOO, ZOO]))

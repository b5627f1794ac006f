"""PDF as lines of text: page by page, with the height of their letters and their place.

PDFium (Chrome's reader) finds the text. It is native code: it runs in a process of its own (`apart`).
"""

from collections import Counter
from typing import Any

from deploy.documents.reading.layout import Line, as_markdown
from deploy.documents.reading.reading import Reading
from deploy.errors import DocumentError

MOST_PAGES = 3_000
MOST_CHARACTERS = 10_000_000
_LINE_END = 10
_BROKEN = (0x2, 0xFFFE)  # the hyphen of a word that a line's end breaks; PDFium gives no line end behind it
_END = b"%%EOF"
_END_WITHIN = 2_048  # bytes: readers look for it in the last 1024, and some files have blanks behind it


def read_pdf(content: bytes, declared: str = "") -> Reading:  # noqa: ARG001 (a PDF says itself what it is)
    """The text of a PDF, its larger lines as headings.

    Raises:
        DocumentError: it is encrypted, damaged, too large, or has no text.
    """
    import pypdfium2

    if _END not in content[-_END_WITHIN:]:
        raise DocumentError("it is no whole PDF: its end is missing; get it anew", reason="damaged")
    try:
        with pypdfium2.PdfDocument(content) as document:
            if (count := len(document)) > MOST_PAGES:
                raise DocumentError(
                    f"it has {count} pages, and at most {MOST_PAGES} are read; split it", reason="too_large"
                )
            pages, scanned = _pages(document)
            named = document.get_metadata_value("Title")
    except pypdfium2.PdfiumError as error:
        raise _fault(error) from None
    if not any(pages):
        raise DocumentError(
            "there is no text in it; it may be scanned: let a program for text recognition (OCR) read it "
            "first",
            reason="no_text",
        )
    title, text, repeated = as_markdown(pages, named)
    notes = []
    if repeated:
        notes.append(f"{repeated} lines that repeat at the edges of its pages were left out")
    if scanned:
        told = ", ".join(map(str, scanned[:10])) + (", ..." if len(scanned) > 10 else "")
        notes.append(f"{len(scanned)} of its pages have pictures and no text, maybe scanned: {told}")
    return Reading(title=title, text=text, notes=tuple(notes))


def _pages(document: Any) -> tuple[list[list[Line]], list[int]]:
    """The lines of each page, and the numbers of those pages that have pictures alone."""
    from pypdfium2.raw import FPDF_PAGEOBJ_IMAGE

    pages: list[list[Line]] = []
    scanned: list[int] = []
    characters = 0
    for number in range(len(document)):
        page = document[number]
        text = page.get_textpage()
        characters += text.count_chars()
        if characters > MOST_CHARACTERS:
            raise DocumentError(
                f"its first {number + 1} pages have more than {MOST_CHARACTERS} characters; split it",
                reason="too_large",
            )
        pages.append(_lines(text))
        if not pages[-1] and any(page.get_objects(filter=[FPDF_PAGEOBJ_IMAGE], max_depth=3)):
            scanned.append(number + 1)
        text.close()
        page.close()
    return pages, scanned


def _lines(text: Any) -> list[Line]:
    """The lines of a page in PDFium's order, which is that of the file."""
    import pypdfium2.raw as pdfium

    lines: list[Line] = []
    characters: list[str] = []
    heights = Counter[float]()
    bottom = 0.0
    box = pdfium.FS_RECTF()
    for place in range(text.count_chars() + 1):
        code = pdfium.FPDFText_GetUnicode(text, place) if place < text.count_chars() else _LINE_END
        character = _character(code)
        characters.append(character)
        if character.strip() and pdfium.FPDFText_GetLooseCharBox(text, place, box):
            if not heights:
                bottom = box.bottom
            heights[round(box.top - box.bottom, 1)] += 1
        if code in (_LINE_END, *_BROKEN):
            if words := " ".join("".join(characters).split()):
                [(size, _)] = heights.most_common(1) or [(0.0, 0)]
                lines.append(Line(words, size=size, bottom=bottom))
            characters.clear()
            heights.clear()
    return lines


def _character(code: int) -> str:
    """The character with this code; half of one, or none that there is, is the mark for what is unknown."""
    if code in _BROKEN:
        return "-"
    if 0xD800 <= code < 0xE000 or code > 0x10FFFF:
        return "\ufffd"
    return chr(code) if code else ""


def _fault(error: Any) -> DocumentError:
    from pypdfium2.raw import FPDF_ERR_PASSWORD, FPDF_ERR_SECURITY

    if error.err_code in (FPDF_ERR_PASSWORD, FPDF_ERR_SECURITY):
        return DocumentError("it is encrypted; save a copy without a password", reason="encrypted")
    return DocumentError(f"it is no PDF, or damaged ({error}); get it anew", reason="damaged")

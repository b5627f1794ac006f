"""PDFs made by hand, object by object, so that a test says what is in them."""

import zlib
from collections.abc import Sequence

Words = tuple[float, float, str]  # height of the letters, distance from the page's end, text
PICTURE = b"q 100 0 0 100 100 500 cm BI /W 1 /H 1 /CS /G /BPC 8 ID \x7f EI Q"


def drawn(lines: Sequence[Words]) -> bytes:
    """The content of a page that shows these lines."""
    told = (
        f"BT /F1 {size} Tf 1 0 0 1 72 {bottom} Tm ({escaped(text)}) Tj ET\n" for size, bottom, text in lines
    )
    return "".join(told).encode("latin-1")


def escaped(text: str) -> str:
    """A text as it stands in a string of a PDF."""
    return text.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)")


def pdf(contents: Sequence[bytes], *, title: str = "", encrypted: bool = False, packed: int = 0) -> bytes:
    """A PDF of pages with these contents.

    Each is compressed `packed` times. An `encrypted` one opens by no password that anybody knows.
    """
    filters = b"/Filter [" + b"/FlateDecode " * packed + b"]" if packed else b""
    kids = b" ".join(b"%d 0 R" % (5 + 2 * at) for at in range(len(contents)))
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [" + kids + b"] /Count %d >>" % len(contents),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
        b"<< /Title (" + escaped(title).encode("latin-1") + b") >>",
    ]
    for at, content in enumerate(contents):
        stream = content
        for _ in range(packed):
            stream = zlib.compress(stream, 9)
        objects += [
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents %d 0 R "
            b"/Resources << /Font << /F1 3 0 R >> >> >>" % (6 + 2 * at),
            b"<< /Length %d %s >>\nstream\n%s\nendstream" % (len(stream), filters, stream),
        ]
    trailer = b"/Root 1 0 R /Info 4 0 R"
    if encrypted:
        key = b"<" + b"5a" * 32 + b">"
        trailer += b" /ID [<aa> <aa>] /Encrypt << /Filter /Standard /V 1 /R 2 /P -1 /O %s /U %s >>" % (
            key,
            key,
        )
    return _file(objects, trailer)


def _file(objects: Sequence[bytes], trailer: bytes) -> bytes:
    file = bytearray(b"%PDF-1.4\n")
    places: list[int] = []
    for number, content in enumerate(objects, start=1):
        places.append(len(file))
        file += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    start = len(file)
    file += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    file += b"".join(b"%010d 00000 n \n" % place for place in places)
    file += b"trailer\n<< /Size %d %s >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, trailer, start)
    return bytes(file)

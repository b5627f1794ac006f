"""Lines of pages as Markdown: paragraphs, headings by their size, words that a line's end broke in two.

Pure. A line that repeats at the edge of pages is a header or a footer, and is left out.
"""

import re
from collections import Counter
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

_LARGER = 1.15  # times the height of most text, from which on a line is a heading
_LONGEST_HEADING = 200  # characters
_LONGEST_HEADER = 80  # characters of a line that is taken for a header for its number alone
_WIDEST = 2.5  # times the height of the letters that lines of one paragraph are apart: double spacing
_APART = 1.3  # times the usual distance of two lines, from which on a paragraph ends
_EDGE = 2  # lines at the top and at the bottom of a page that may be header or footer
_OFTEN = 1 / 3  # of the pages: where left and right pages differ, each has its half
_FEWEST = 3  # pages
_BULLET = re.compile(r"^[\u2022\u2023\u25aa\u25cf\u25e6\u2043\u2219\uf0b7]\s*")
_NUMBER = re.compile(r"(?<!\d)\d{1,5}(?!\d)")
_LEADER = re.compile(r"(?:\s?\.){4,}\s?")  # the dots of a table of contents
_BROKEN = re.compile(r"(\S*[^\W\d_])([-\u2010\u00ad])$")
_REST = re.compile(r"([^\W\d_]\S*)\s*")
_FULL_STOP = re.compile(r"[.!?:;]['\"\u201d\u2019)\]]?$")
# What programs write where nobody has given a title.
_NO_TITLE = re.compile(
    r"untitled.*|microsoft \w+ - .*|.*\.(docx?|pptx?|xlsx?|od[tps]|tex|dvi|indd|qxd|pdf|rtf|txt)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Line:
    """A line; `size` is the height of its letters, `bottom` its distance from the end of the page."""

    text: str
    size: float
    bottom: float


@dataclass(slots=True)
class _Block:
    lines: list[Line]
    is_heading: bool


def as_markdown(pages: list[list[Line]], named: str = "") -> tuple[str, str, int]:
    """The title, the text, and how many lines were left out. `named` is what the file calls itself."""
    usual = _usual_size([line for page in pages for line in page])
    kept = without_repeated(pages, usual)
    left_out = sum(map(len, pages)) - sum(map(len, kept))
    lines = [line for page in kept for line in page]
    blocks = _blocks(kept, usual)
    levels = {size: level for level, size in enumerate(_heading_sizes(blocks), start=1)}
    known = Counter(word for line in lines for word in line.text.lower().split())
    texts: list[str] = []
    headings: list[tuple[int, str]] = []
    for block in blocks:
        joined = [_LEADER.sub(" ... ", line) for line in _joined([line.text for line in block.lines], known)]
        if block.is_heading:
            level = min(levels[block.lines[0].size], 6)
            headings.append((level, " ".join(joined)))
            texts.append(f"{'#' * level} {' '.join(joined)}")
        else:
            texts.append(_BULLET.sub("- ", "\n".join(joined)))
    return _title(named, headings), "\n\n".join(texts), left_out


def without_repeated(pages: list[list[Line]], usual: float) -> list[list[Line]]:
    """The pages without headers and footers: lines at their edges that many of them have.

    A line with the number of its page is one, too, if many pages are numbered so, since titles of chapters
    change above; but none that is larger than the `usual` text. Where nothing would be left, the pages are as
    they were.
    """
    fewest = max(_FEWEST, _OFTEN * len(pages))
    alike, shifts = Counter[str](), Counter[int]()
    for at, page in enumerate(pages):
        edges = page if len(page) <= 2 * _EDGE else page[:_EDGE] + page[-_EDGE:]
        alike.update({line.text for line in edges})
        shifts.update({shift for line in edges for shift in _shifts(line, at, usual)})
    often = {text for text, count in alike.items() if count >= fewest}
    numbered = {shift for shift, count in shifts.items() if count >= fewest}
    kept = [
        _trimmed(
            page,
            [line.text in often or not numbered.isdisjoint(_shifts(line, at, usual)) for line in page],
        )
        for at, page in enumerate(pages)
    ]
    return kept if any(kept) else pages


def _shifts(line: Line, at: int, usual: float) -> list[int]:
    """How far the numbers in a line that may be a header are from the place of its page."""
    if len(line.text) > _LONGEST_HEADER or line.size >= _LARGER * usual:
        return []
    return [int(number) - at for number in _NUMBER.findall(line.text)]


def _trimmed(page: list[Line], repeats: list[bool]) -> list[Line]:
    start, end = 0, len(page)
    while start < min(_EDGE, end) and repeats[start]:
        start += 1
    while end > max(start, len(page) - _EDGE) and repeats[end - 1]:
        end -= 1
    return page[start:end]


def _usual_size(lines: list[Line]) -> float:
    sizes = Counter[float]()
    for line in lines:
        sizes[line.size] += len(line.text)
    return sizes.most_common(1)[0][0] if sizes else 0.0


def _blocks(pages: list[list[Line]], usual: float) -> list[_Block]:
    """Lines that belong together, in order."""
    gaps = [one.bottom - other.bottom for page in pages for one, other in pairwise(page) if one.size == usual]
    pitch = median([gap for gap in gaps if 0 < gap <= _WIDEST * usual] or [usual])
    blocks: list[_Block] = []
    for page in pages:
        for place, line in enumerate(page):
            is_heading = _is_heading(line, usual)
            last = blocks[-1] if blocks else None
            if (
                last is None
                or last.is_heading != is_heading
                or (is_heading and last.lines[-1].size != line.size)
                or _BULLET.match(line.text)
                or not _goes_on(last.lines[-1], line, pitch, same_page=place > 0)
            ):
                blocks.append(_Block([line], is_heading))
            else:
                last.lines.append(line)
    return blocks


def _is_heading(line: Line, usual: float) -> bool:
    return (
        line.size >= _LARGER * usual
        and len(line.text) <= _LONGEST_HEADING
        and any(map(str.isalpha, line.text))
    )


def _goes_on(before: Line, line: Line, pitch: float, *, same_page: bool) -> bool:
    """Whether a line goes on with the one before."""
    if same_page:
        pitch = max(pitch, line.size)
        return 0.0 <= before.bottom - line.bottom <= _APART * pitch
    return not _FULL_STOP.search(before.text) and line.text[:1].islower()


def _heading_sizes(blocks: list[_Block]) -> list[float]:
    return sorted({block.lines[0].size for block in blocks if block.is_heading}, reverse=True)


def _joined(lines: list[str], known: Counter[str]) -> list[str]:
    """The lines, each word whole on the line where it begins.

    A hyphen that ends a line stays if the word is `known` with it elsewhere in the document.
    """
    joined: list[str] = []
    for line in lines:
        broken = _BROKEN.search(joined[-1]) if joined else None
        rest = _REST.match(line)
        if broken and rest and rest[1][0].islower():
            whole = f"{broken[1]}-{rest[1]}".lower() in known
            mark = "-" if whole and broken[2] != "\u00ad" else ""
            joined[-1] = joined[-1][: broken.start()] + broken[1] + mark + rest[1]
            joined += [line[rest.end() :]] if rest.end() < len(line) else []
        else:
            joined.append(line)
    return [line.replace("\u00ad", "") for line in joined]


def _title(named: str, headings: list[tuple[int, str]]) -> str:
    """What the file calls itself if a person has, or else its first heading of the highest level."""
    words = " ".join(named.split())
    if any(map(str.isalpha, words)) and not _NO_TITLE.fullmatch(words):
        return words
    best = min(headings, key=lambda heading: heading[0], default=(0, ""))
    return best[1]

"""Tables inside a page of Markdown, between markers that name them."""

from pathlib import Path

from deploy.atomic import write_text
from tasks.errors import SourceError


def write_between(page: Path, name: str, content: str) -> None:
    """Put `content` between the markers of this name in a file.

    Raises:
        SourceError: a marker is missing.
    """
    write_text(page, between(page.read_text(encoding="utf-8"), name, content))


def between(text: str, name: str, content: str) -> str:
    """`text` with `content` between the markers `<!-- name -->` and `<!-- /name -->`.

    Raises:
        SourceError: a marker is missing.
    """
    start, end = f"<!-- {name} -->", f"<!-- /{name} -->"
    if start not in text or end not in text:
        raise SourceError(
            f"the markers {start} and {end} are not both there; add them where the table belongs"
        )
    head, rest = text.split(start, 1)
    return f"{head}{start}\n{content}{end}{rest.split(end, 1)[1]}"

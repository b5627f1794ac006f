"""A look at pages of HTML: whole, each id once, and where they lead."""

from html.parser import HTMLParser

VOID = {"meta", "br", "line", "circle", "path", "use", "rect", "link", "img"}


class _Checker(HTMLParser):
    """Collects ids, and fails on a tag that is closed in the wrong place."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.targets: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self.ids += [values["id"] or ""] if "id" in values else []
        self.targets += [values[key] or "" for key in ("href", "src", "xlink:href") if key in values]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open[-1:] == [tag], f"</{tag}> closes {self.open[-3:]} at {self.getpos()}"
            self.open.pop()


def checked(page: str) -> _Checker:
    """The ids and addresses of `page`, which is whole and has each id once."""
    found = _Checker()
    found.feed(page)
    assert found.open == []
    assert len(found.ids) == len(set(found.ids))
    return found

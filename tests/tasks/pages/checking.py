"""A look at pages of HTML: whole, each id once, where they lead, what they load, what a phone would cut."""

import re
from html.parser import HTMLParser

VOID = {"meta", "br", "line", "circle", "path", "use", "rect", "link", "img", "input", "source"}
LOADING = {"src", "srcset", "poster", "data", "action", "formaction", "background", "href", "xlink:href"}
IN_STYLE = re.compile(r"url\(\s*[\"']?([^\"')]*)|@import\s+[\"']([^\"']*)")
ELSEWHERE = re.compile(r"\s*(?:[a-z][a-z0-9+.-]*:)?//", re.IGNORECASE)


class _Checker(HTMLParser):
    """Collects ids and addresses, and fails on a tag that is closed in the wrong place.

    `targets` are all addresses, `loaded` those that a browser fetches by itself; `cut` are the places of
    tables that neither scroll by themselves nor stand in a card, where words wrap.
    """

    def __init__(self) -> None:
        super().__init__()
        self.open: list[tuple[str, dict[str, str]]] = []
        self.ids: list[str] = []
        self.targets: list[str] = []
        self.loaded: list[str] = []
        self.cut: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {key: value or "" for key, value in attrs}
        self.ids += [values["id"]] if "id" in values else []
        self.targets += [values[key] for key in ("href", "src", "xlink:href") if key in values]
        self.loaded += [values[key] for key in LOADING & values.keys() if (tag, key) != ("a", "href")]
        self.loaded += in_style(values.get("style", ""))
        if tag == "table" and not any(_holds(inside) for _, inside in self.open):
            self.cut.append(f"{self.get_starttag_text()} at {self.getpos()}")
        if tag not in VOID:
            self.open.append((tag, values))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            open_tags = [name for name, _ in self.open]
            assert open_tags[-1:] == [tag], f"</{tag}> closes {open_tags[-3:]} at {self.getpos()}"
            self.open.pop()

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1][0] == "style":
            self.loaded += in_style(data)


def in_style(text: str) -> list[str]:
    """The addresses that CSS loads from."""
    return [first or second for first, second in IN_STYLE.findall(text)]


def _holds(values: dict[str, str]) -> bool:
    """Whether an element holds a wide table: words wrap, or it scrolls, by keys as well, and has a name."""
    classes = values.get("class", "").split()
    named = values.get("role") == "region" and values.get("aria-label") and values.get("tabindex") == "0"
    return "card" in classes or ("scroll" in classes and bool(named))


def looked_at(page: str) -> _Checker:
    """What is found in `page`, whose tags close where they should."""
    found = _Checker()
    found.feed(page)
    found.close()
    return found


def elsewhere(page: str) -> list[str]:
    """What `page` would load from another host; a link that a person follows is none of it."""
    return [address for address in looked_at(page).loaded if ELSEWHERE.match(address)]


def checked(page: str) -> _Checker:
    """The ids and addresses of `page`: it is whole, needs no other host, and a phone shows all of it."""
    found = looked_at(page)
    assert found.open == []
    assert len(found.ids) == len(set(found.ids))
    assert elsewhere(page) == []
    assert found.cut == []
    assert "<script" not in page
    assert '<meta name="viewport" content="width=device-width' in page
    return found

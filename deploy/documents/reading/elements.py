"""What the elements of HTML are to a reader: blocks, what closes them, what is no part of the content."""

from collections.abc import Mapping

Attributes = Mapping[str, str | None]

HEADINGS = {f"h{level}": level for level in range(1, 7)}
LISTS = frozenset({"ul", "ol", "menu", "dir"})
CODE = frozenset({"code", "tt", "kbd", "samp"})
# fmt: off
VOID = frozenset({
    "area", "base", "basefont", "bgsound", "br", "col", "embed", "frame", "hr", "img", "input", "link",
    "meta", "param", "source", "track", "wbr",
})
BLOCKS = LISTS | HEADINGS.keys() | {
    "address", "article", "aside", "blockquote", "body", "caption", "center", "dd", "details", "dialog",
    "div", "dl", "dt", "fieldset", "figcaption", "figure", "footer", "form", "header", "hgroup", "hr",
    "html", "legend", "li", "main", "nav", "p", "pre", "section", "summary", "table", "tbody", "td",
    "tfoot", "th", "thead", "tr",
}
# Never text that somebody reads.
_SILENT = frozenset({
    "annotation", "audio", "button", "canvas", "datalist", "dialog", "iframe", "noscript", "object",
    "script", "select", "style", "svg", "template", "textarea", "video",
})
# fmt: on
# Around the content, not in it. In <main> a header or an aside is part of what is said.
_AROUND = frozenset({"footer", "header", "aside"})
_AROUND_ROLES = frozenset({"banner", "contentinfo", "search", "complementary"})
_NAVIGATION = frozenset({"navheader", "navfooter", "breadcrumb", "breadcrumbs"})  # classes

# Which open elements the beginning of another closes, as browsers see it; and in which they are looked for.
_NOTHING: tuple[frozenset[str], frozenset[str]] = (frozenset(), frozenset())
_PARAGRAPH = (frozenset({"p"}), frozenset({"table", "td", "th", "button", "object"}))
_CELL = (frozenset({"td", "th"}), frozenset({"tr", "table"}))
_PART = (frozenset({"tr", "thead", "tbody", "tfoot"}), frozenset({"table"}))
_DEFINITION = (frozenset({"dt", "dd"}), frozenset({"dl"}))
_CLOSED_BY = {
    "li": (frozenset({"li"}), LISTS),
    "dt": _DEFINITION,
    "dd": _DEFINITION,
    "tr": (frozenset({"tr"}), frozenset({"table"})),
    "td": _CELL,
    "th": _CELL,
    "thead": _PART,
    "tbody": _PART,
    "tfoot": _PART,
}


def closed_by(tag: str) -> tuple[frozenset[str], frozenset[str]]:
    """Which elements the beginning of `tag` closes, and inside which of those that are open."""
    return _CLOSED_BY.get(tag, _PARAGRAPH if tag in BLOCKS else _NOTHING)


def is_main(tag: str, given: Attributes) -> bool:
    """Whether an element says that it holds the content of the page."""
    return tag == "main" or given.get("role") == "main"


def is_silent(tag: str, given: Attributes) -> bool:
    """Whether an element is not to be read: a script, a control, or hidden."""
    hidden = "hidden" in given and given.get("role") != "tabpanel"  # a panel is seen once its tab is chosen
    return tag in _SILENT or hidden or given.get("aria-hidden") == "true"


def is_furniture(tag: str, given: Attributes, *, in_main: bool) -> bool:
    """Whether an element stands around the content."""
    role, classes = given.get("role"), (given.get("class") or "").split()
    if tag == "nav" or role == "navigation" or not _NAVIGATION.isdisjoint(classes):
        return True
    return not in_main and (tag in _AROUND or role in _AROUND_ROLES)

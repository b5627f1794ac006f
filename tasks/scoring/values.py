"""Values and names in an answer: which ones it states, and whether two texts spell the same."""

import ast
import re

_MARK = re.compile(r"(?<!\s)\s*\[\d+\]")
_BACKTICKED = re.compile(r"`+([^`]+)`+")
_LITERAL = re.compile(
    r"""(?<![\w.'"])(?:None|True|False|-?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)(?!\w|\.\d)"""
    r"""|(?<!\w)'[^']*'(?!\w)|(?<!\w)"[^"]*"(?!\w)"""
)
_DOTTED = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+")


def without_marks(text: str) -> str:
    """`text` without its citation marks `[n]`."""
    return _MARK.sub("", text)


def stated_value(text: str, question: str = "") -> str:
    """The value that an answer states.

    It is the first span in backticks that is not merely repeated from the question, else the first Python
    literal outside backticks, else the whole text.
    """
    repeated = set(_BACKTICKED.findall(question))
    for span in _BACKTICKED.findall(text):
        if span not in repeated:
            return str(span).strip()
    plain = without_marks(_BACKTICKED.sub(" ", text))
    literal = _LITERAL.search(plain)
    return literal.group() if literal else plain.strip().rstrip(".")


def literals(text: str) -> list[str]:
    """Every value that a text states: its spans in backticks, then the Python literals outside of them."""
    spans = [str(span).strip() for span in _BACKTICKED.findall(text)]
    plain = without_marks(_BACKTICKED.sub(" ", text))
    return [*spans, *(match.group() for match in _LITERAL.finditer(plain))]


def same_value(one: str, other: str) -> bool:
    """Whether two texts spell one Python value: `'l2'` and `"l2"`, `1.0` and `1`; not `1` and `True`."""
    return _normalised(one) == _normalised(other)


def stated_name(text: str) -> str:
    """The qualified name that an answer states: the first span in backticks or the first dotted name."""
    plain = without_marks(text)
    found = _BACKTICKED.search(plain)
    span = found.group(1) if found else plain
    dotted = _DOTTED.search(span)
    return dotted.group() if dotted else span.strip()


def same_name(one: str, other: str) -> bool:
    """Whether two texts name one thing: they are equal, or one is the other's ending (`sum`, `numpy.sum`)."""
    short, long = sorted((one.strip().rstrip("()"), other.strip().rstrip("()")), key=len)
    return bool(short) and (long == short or long.endswith(f".{short}"))


def _normalised(value: str) -> tuple[str, object]:
    try:
        literal = ast.literal_eval(value.strip())
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return "text", value.strip()
    if isinstance(literal, str):
        return "text", literal
    if isinstance(literal, int | float | complex) and not isinstance(literal, bool):
        return "number", literal
    return type(literal).__name__, repr(literal)

"""Lines that define a name, as documentation of parameters writes them: `C=1.0 : float`.

The numpydoc form (`name : type`, here with a default before the colon). Text without such lines is none
the worse for it: nothing is found.
"""

import re

_NAMES = r"\*{0,2}\w+(?:, \*{0,2}\w+)*"
_LINE = re.compile(rf"^({_NAMES})(?:=\S[^\n]*?)? :(?=\s|$)", re.MULTILINE)


def starts_with_definition(paragraph: str) -> bool:
    """Whether the first line of `paragraph` defines a name."""
    return _LINE.match(paragraph) is not None


def defined_names(text: str) -> list[str]:
    """The names that lines of `text` define, in order, without stars."""
    return [name.strip("* ") for match in _LINE.finditer(text) for name in match[1].split(",")]

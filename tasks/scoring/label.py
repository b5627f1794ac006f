"""Labels: one of a few names, and nothing else will do."""

import re

_MARK = re.compile(r"\s*\[\d+\]$")
_AROUND = " \t\n`\"'*."


def same_label(question: str, gold: str, text: str) -> float:  # noqa: ARG001  (all scorers are called alike)
    """1 if `text` is the label `gold`, but for case and what is put around a name; else 0."""
    return float(_bare(text) == _bare(gold))


def _bare(text: str) -> str:
    return _MARK.sub("", text.strip()).strip(_AROUND).casefold()

"""Python, compared by what it parses to. Nothing of it is run."""

import ast
import warnings

from tasks.scoring.fenced import fenced

MAX_CHARACTERS = 20_000  # a longer answer is not parsed


def same_program(question: str, gold: str, text: str) -> float:  # noqa: ARG001  (all scorers are called alike)
    """1 if `text` parses to the same syntax tree as `gold`, else 0: layout, comments and quotes are free."""
    if (found := _tree(text)) is None:
        return 0.0
    return float(found == _tree(gold))


def _tree(text: str) -> str | None:
    source = fenced(text)
    if len(source) > MAX_CHARACTERS:
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # an odd escape in an answer is nobody's warning
            return ast.dump(ast.parse(source))
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        return None

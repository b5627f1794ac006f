"""The parameters of a callable with their defaults as one would type them."""

import ast
import inspect
import re
from dataclasses import dataclass
from typing import Any

_LONGEST_DEFAULT = 40
_SENTINELS = {"'deprecated'", "'warn'"}  # they stand for "not given"; the documented default is another


@dataclass(frozen=True, slots=True, kw_only=True)
class Argument:
    """A parameter of a signature; `default` is its source text, None where there is none that reads well."""

    name: str
    default: str | None


def arguments(value: Any, written: str) -> tuple[Argument, ...]:
    """The parameters by the signature of the code, or that written on top of the docstring."""
    try:
        parameters = list(inspect.signature(value).parameters.values())
    except (ValueError, TypeError):
        return _written_arguments(written)
    marks: dict[Any, str] = {inspect.Parameter.VAR_POSITIONAL: "*", inspect.Parameter.VAR_KEYWORD: "**"}
    return tuple(
        Argument(
            name=f"{marks.get(parameter.kind, '')}{parameter.name}",
            default=None if parameter.default is inspect.Parameter.empty else readable(parameter.default),
        )
        for position, parameter in enumerate(parameters)
        if not (position == 0 and parameter.name in ("self", "cls", "$self"))
    )


def _written_arguments(written: str) -> tuple[Argument, ...]:
    """The parameters of a signature that stands in a docstring, where it is Python."""
    inside = written[written.find("(") : written.rfind(")") + 1] if "(" in written else ""
    try:
        node = ast.parse(f"def f{inside}: ...").body[0] if inside else None
    except SyntaxError:
        return ()
    if not isinstance(node, ast.FunctionDef):
        return ()
    positional = [*node.args.posonlyargs, *node.args.args]
    defaults: list[ast.expr | None] = [None] * (len(positional) - len(node.args.defaults))
    pairs = [
        *zip(positional, [*defaults, *node.args.defaults], strict=True),
        *zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True),
    ]
    return tuple(
        Argument(name=argument.arg, default=None if value is None else _short(ast.unparse(value)))
        for argument, value in pairs
        if argument.arg != "self"
    )


def readable(value: Any) -> str | None:
    """A default as one would type it; None where its text says nothing (sentinels, addresses, arrays)."""
    if inspect.isclass(value) or inspect.isroutine(value):
        return _short(value.__name__)
    if type(value).__module__ == "numpy" and hasattr(value, "item") and getattr(value, "ndim", 1) == 0:
        value = value.item()
    return _short(repr(value))


def _short(text: str) -> str | None:
    speaks = len(text) <= _LONGEST_DEFAULT and not re.search(r"[<>`\n]", text) and text not in _SENTINELS
    return text if speaks else None

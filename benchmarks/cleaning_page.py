"""Writes the steps of `clean` into docs/cleaning.md, from the code: `python -m benchmarks.cleaning_page`."""

import ast
import inspect
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import yaml

from benchmarks.pages import write_between
from tasks.prepare.clean import steps
from tasks.prepare.clean.plan import InParts
from tasks.prepare.clean.repairs import REPAIRS
from tasks.prepare.clean_settings import CleanSettings
from tasks.settings import load_settings

PAGE = Path("docs/cleaning.md")
PARAMS = Path("params.yaml")
ROOT = Path(__file__).resolve().parent.parent
_NOTHING = "\u2013"


def steps_markdown(settings: CleanSettings) -> str:
    """The table of all steps, those that `settings` name first and in their order; then that of repairs."""
    judges = step_functions()
    named = [*settings.steps, *(name for name in judges if name not in settings.steps)]
    lines = [
        "| step | what it drops or changes | reason, as counted | settings, as params.yaml has them | file |",
        "|---|---|---|---|---|",
        *(_step(name, judges[name], settings) for name in named),
    ]
    if without := [f"`{name}`" for name in judges if name not in settings.steps]:
        lines += ["", f"Not done, for params.yaml does not name them: {', '.join(without)}."]
    lines += ["", "| repair | gives |", "|---|---|"]
    lines += [f"| `{name}` | {_cell(_summary(repair))} |" for name, repair in REPAIRS.items()]
    return "\n".join([*lines, "", "*Made from the code by `python -m benchmarks.cleaning_page`.*", ""])


def step_functions() -> dict[str, Callable[..., Any]]:
    """The function behind each step of tasks/prepare/clean/steps.py: the step, its parts, or what judges."""
    tree = ast.parse(inspect.getsource(steps))
    [table] = [
        node.value
        for node in tree.body
        if isinstance(node, ast.AnnAssign) and isinstance(node.value, ast.Dict)
    ]
    found: dict[str, Callable[..., Any]] = {}
    for key, value in zip(table.keys, table.values, strict=True):
        function = (
            value.args[0] if isinstance(value, ast.Call) else value
        )  # each_row(length) judges by length
        if isinstance(key, ast.Constant) and isinstance(function, ast.Name):
            step = getattr(steps, function.id)
            found[str(key.value)] = step.parts if isinstance(step, InParts) else step
    return found


def reasons(judge: Callable[..., Any]) -> list[str]:
    """The reasons for which a step drops rows: what stands in `Reason(...)` and `drop(row, ...)`."""
    calls = [node for node in _reached(judge) if isinstance(node, ast.Call)]
    places = {"Reason": 0, "drop": 1}
    told = (
        call.args[places[call.func.id]]
        for call in calls
        if isinstance(call.func, ast.Name) and len(call.args) > places.get(call.func.id, len(call.args))
    )
    return list(dict.fromkeys(str(each.value) for each in told if isinstance(each, ast.Constant)))


def settings_read(judge: Callable[..., Any]) -> list[str]:
    """The fields of `CleanSettings` that a step reads, in their order there."""
    read = {
        node.attr
        for node in _reached(judge)
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == "settings"
    }
    return [name for name in CleanSettings.model_fields if name in read]


def _step(name: str, judge: Callable[..., Any], settings: CleanSettings) -> str:
    module = _module(judge)
    told = ", ".join(f"`{reason}`" for reason in reasons(judge)) or _NOTHING
    values = settings.model_dump(mode="json")
    read = ", ".join(f"`{each}: {_shown(values[each])}`" for each in settings_read(judge)) or _NOTHING
    file = Path(str(module.__file__)).relative_to(ROOT)
    place = file.parent if file.name == "__init__.py" else file
    link = f"[{place.name}](../{place.as_posix()})"
    return f"| `{name}` | {_cell(_meaning(judge, module))} | {told} | {_cell(read)} | {link} |"


def _meaning(judge: Callable[..., Any], module: ModuleType) -> str:
    """What a step does: its file says so, or in a file of several steps its function."""
    several = sum(_module(other) is module for other in step_functions().values()) > 1
    return _summary(judge if several else module)


def _summary(of: Callable[..., Any] | ModuleType) -> str:
    """The first sentence of a docstring."""
    text = " ".join((inspect.getdoc(of) or "").split())
    return text.partition(". ")[0].rstrip(".") + "."


def _reached(judge: Callable[..., Any]) -> Iterator[ast.AST]:
    """The code of a function, and of the functions and classes of its file that it uses."""
    functions = {
        node.name: node
        for node in ast.parse(inspect.getsource(_module(judge))).body
        if isinstance(node, ast.FunctionDef | ast.ClassDef)
    }
    seen: set[str] = set()
    ahead = [judge.__name__]
    while ahead:
        name = ahead.pop(0)
        if name in seen or name not in functions:
            continue
        seen.add(name)
        for node in ast.walk(functions[name]):
            yield node
            if isinstance(node, ast.Name):
                ahead.append(node.id)


def _module(judge: Callable[..., Any]) -> ModuleType:
    module = inspect.getmodule(judge)
    if module is None:
        raise LookupError(f"{judge} is in no file")
    return module


def _shown(value: Any) -> str:
    """A value as params.yaml has it, on one line."""
    return (
        yaml.safe_dump(value, default_flow_style=True, width=10**6, sort_keys=False)
        .removesuffix("...\n")
        .strip()
    )


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def main() -> int:
    """Write the tables into the page."""
    write_between(PAGE, "steps", steps_markdown(load_settings(PARAMS).clean))
    print(f"{PAGE} has the steps of the code")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

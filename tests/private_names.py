"""Which private names of libraries the project uses, and which private methods of theirs it replaces.

    python -m tests.private_names

prints them with the files that do; docs/decisions/0018-private-names-that-remain.md gives the reasons.
"""

import ast
import importlib
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path
from types import FunctionType, ModuleType

import deploy
import tasks
from tests.conftest import ROOT

PACKAGES = (deploy, tasks)
OURS = tuple(package.__name__ for package in PACKAGES)


def found() -> set[tuple[str, str]]:
    """Each private name with the file that uses it; imports all modules."""
    files = [path for package in OURS for path in sorted((ROOT / package).rglob("*.py"))]
    used = {(name, path.relative_to(ROOT).as_posix()) for path in files for name in taken(path)}
    return used | set(replaced())


def taken(path: Path) -> set[str]:
    """The names with a leading underscore that a file takes from elsewhere."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    attributes = [node for node in ast.walk(tree) if isinstance(node, ast.Attribute)]
    own = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    own |= {
        node.attr
        for node in attributes
        if isinstance(node.ctx, ast.Store) and isinstance(node.value, ast.Name) and node.value.id == "self"
    }
    used = {node.attr for node in attributes}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            used |= {*(node.module or "").split("."), *(alias.name for alias in node.names)}
    return {name for name in used - own if is_private(name)}


def replaced() -> Iterator[tuple[str, str]]:
    """The private methods of libraries' classes that classes of ours replace."""
    for module in modules():
        for kind in vars(module).values():
            if not isinstance(kind, type) or kind.__module__ != module.__name__:
                continue
            theirs = [base for base in kind.__mro__ if not base.__module__.startswith(OURS)]
            for name, value in vars(kind).items():
                inherited = any(name in vars(base) for base in theirs)
                if inherited and isinstance(value, FunctionType) and is_private(name):
                    yield name, module.__name__.replace(".", "/") + ".py"


def modules() -> Iterator[ModuleType]:
    """All modules of the project but its command lines."""
    for package in PACKAGES:
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not module.name.endswith("__main__"):
                yield importlib.import_module(module.name)


def is_private(name: str) -> bool:
    """Whether a name begins with one underscore."""
    return re.match("_[a-z]", name) is not None


if __name__ == "__main__":
    print("\n".join(f"{name} {place}" for name, place in sorted(found())))

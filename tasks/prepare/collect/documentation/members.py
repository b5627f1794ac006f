"""What a package has to offer: its public modules, and the callables in them and in their classes."""

import importlib
import inspect
import pkgutil
import re
from collections.abc import Iterator
from types import ModuleType
from typing import Any

from tasks.errors import SourceError

# Parts of a module's name that are no public interface, whatever the package.
_INTERNAL = {"tests", "conftest", "setup", "core", "compat", "externals", "distutils", "f2py", "experimental"}
_INTERNAL |= {"test", "cython_special", "testutils", "estimator_checks", "clipboard", "common"}
# Objects that stand for functions: NumPy's ufuncs and dispatchers.
_WRAPPERS = {"ufunc", "_ArrayFunctionDispatcher", "vectorize"}
# Methods that scikit-learn writes by itself, all alike.
_GENERATED = re.compile(r"^set_\w+_request$")


def modules(package: str, left_out: dict[str, list[str]]) -> Iterator[ModuleType]:
    """The package and its public submodules, imported; one that cannot be imported is named in `left_out`."""
    names, seen = [package], {package}
    while names:
        name = names.pop()
        try:
            module = importlib.import_module(name)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # a script may exit, a test skip itself; the rest is of use
            if name == package:
                raise SourceError(
                    f"collect.sources: {name!r} cannot be imported ({type(error).__name__}: {error}); "
                    "mend it, or take it out of `packages` in params.yaml"
                ) from None
            left_out.setdefault("a module that cannot be imported", []).append(name)
            continue
        yield module
        inner = [f"{name}.{found.name}" for found in pkgutil.iter_modules(getattr(module, "__path__", []))]
        for child in sorted(inner, reverse=True):
            part = child.rpartition(".")[2]
            if child not in seen and not part.startswith("_") and part not in _INTERNAL:
                seen.add(child)
                names.append(child)


def members(module: ModuleType, package: str) -> Iterator[tuple[str, Any]]:
    """Public callables of a module: those that `__all__` names, else those that it defines itself.

    Only what stands in the module is read: `getattr` would wake the shims of deprecated names.
    """
    here = vars(module)
    listed = here.get("__all__")
    for name in sorted(listed if listed is not None else here):
        value = here.get(name)
        if name.startswith("_") or not callable(value) or inspect.ismodule(value):
            continue
        home = getattr(value, "__module__", None) or module.__name__  # a ufunc does not say where it is from
        inside = home.partition(".")[0] == package.partition(".")[0]
        if listed is None and module.__name__ not in (home, package):
            continue  # a package's own top level is public without `__all__`
        is_wrapper = type(value).__name__ in _WRAPPERS
        if inside and (inspect.isclass(value) or inspect.isroutine(value) or is_wrapper):
            yield name, value


def methods_of(
    title: str, owner: type, package: str, left_out: dict[str, list[str]]
) -> Iterator[tuple[str, Any]]:
    """Public methods of the class `title`, and those of accessors such as `Series.str` as `str.split`."""
    top = package.partition(".")[0]
    for name in dir(owner):
        if name.startswith("_") or _GENERATED.match(name):
            continue
        try:
            value = getattr(owner, name)
        except Exception:  # a descriptor may refuse to be read from its class
            left_out.setdefault("an attribute that cannot be read", []).append(f"{title}.{name}")
            continue
        if inspect.isroutine(value) or inspect.isfunction(value):
            if _home(value, owner).partition(".")[0] == top:
                yield name, value
        elif inspect.isclass(value) and (value.__module__ or "").startswith(f"{top}.") and name.islower():
            yield from (
                (f"{name}.{inner}", method)
                for inner, method in inspect.getmembers(value, inspect.isroutine)
                if not inner.startswith("_") and _home(method, value).partition(".")[0] == top
            )


def _home(method: Any, owner: type) -> str:
    """The module that defines a method: for C methods that of the class in whose body it stands."""
    home = getattr(method, "__module__", None)
    if isinstance(home, str):
        return home
    name = getattr(method, "__name__", "")
    return next((base.__module__ for base in owner.__mro__ if name in vars(base)), "")

"""The public callables of an installed package, each once, with signature and parsed docstring."""

import importlib
import importlib.metadata
import inspect
import pkgutil
import re
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Any, Literal

from tasks.errors import SourceError
from tasks.prepare.collect.documentation.docstrings import Docstring, parse_docstring
from tasks.prepare.collect.documentation.signatures import Argument, arguments

Kind = Literal["function", "class", "method"]
# Parts of a module's name that are no public interface, whatever the package.
_INTERNAL = {"tests", "conftest", "setup", "core", "compat", "externals", "distutils", "f2py", "experimental"}
_INTERNAL |= {"test", "cython_special", "testutils", "estimator_checks", "clipboard", "common"}
# Objects that stand for functions: NumPy's ufuncs and dispatchers.
_WRAPPERS = {"ufunc", "_ArrayFunctionDispatcher", "vectorize"}
# Methods that scikit-learn writes by itself, all alike.
_GENERATED = re.compile(r"^set_\w+_request$")


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicCallable:
    """A function, class or method under its best public name; `text` is its whole docstring."""

    name: str
    aliases: tuple[str, ...]
    package: str
    kind: Kind
    arguments: tuple[Argument, ...]
    text: str
    doc: Docstring


@dataclass(frozen=True, slots=True, kw_only=True)
class InstalledPackage:
    """A package as installed; `distribution` is its name in the package index."""

    name: str
    distribution: str
    version: str


def installed(name: str) -> InstalledPackage:
    """The package called `name`, or of which `name` is a part, such as `scipy.stats`.

    Raises:
        SourceError: it is not installed.
    """
    top = name.partition(".")[0]
    distributions = importlib.metadata.packages_distributions().get(top, [top])
    try:
        version = importlib.metadata.version(distributions[0])
    except importlib.metadata.PackageNotFoundError:
        raise SourceError(
            f"collect.sources: the package {name!r} is not installed here; "
            "install it, or take it out of `packages` in params.yaml"
        ) from None
    return InstalledPackage(name=name, distribution=distributions[0], version=version)


@dataclass(frozen=True, slots=True, kw_only=True)
class Callables:
    """The documented public callables of a package, sorted by name, and what was left out, by reason."""

    documented: tuple[PublicCallable, ...]
    left_out: Mapping[str, tuple[str, ...]]


def public_callables(package: str) -> Callables:
    """All public callables of a package or of a part of one; nothing of it is called.

    Raises:
        SourceError: it has no such part, or cannot be imported.
    """
    left_out: dict[str, list[str]] = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found: dict[str, tuple[Kind, Any]] = {}
        for module in _modules(package, left_out):
            for name, value in _members(module, package):
                found[f"{module.__name__}.{name}"] = (
                    "class" if inspect.isclass(value) else "function",
                    value,
                )
        named = _best_names(found)
        methods: dict[str, tuple[Kind, Any]] = {}
        for name, (kind, value, _) in named.items():
            if kind == "class":
                methods.update(
                    {f"{name}.{path}": ("method", v) for path, v in _methods(name, value, package, left_out)}
                )
        named.update(_best_names(methods, taken=named))
        documented: list[PublicCallable] = []
        for name, (kind, value, aliases) in sorted(named.items()):
            doc = parse_docstring(text := _text(value))
            reason = _unusable(doc)
            if reason:
                left_out.setdefault(reason, []).append(name)
                continue
            documented.append(
                PublicCallable(
                    name=name,
                    aliases=aliases,
                    package=package,
                    kind=kind,
                    arguments=arguments(value, doc.signature),
                    text=text,
                    doc=doc,
                )
            )
    return Callables(
        documented=tuple(documented),
        left_out={reason: tuple(sorted(set(names))) for reason, names in sorted(left_out.items())},
    )


def _modules(package: str, left_out: dict[str, list[str]]) -> Iterator[ModuleType]:
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


def _members(module: ModuleType, package: str) -> Iterator[tuple[str, Any]]:
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


def _methods(
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


def _best_names(
    found: dict[str, tuple[Kind, Any]], *, taken: dict[str, Any] | None = None
) -> dict[str, tuple[Kind, Any, tuple[str, ...]]]:
    """Each object once, under its best name: that of its definition if public, else the shortest."""
    texts = {entry[1].__doc__: name for name, entry in (taken or {}).items()}
    by_object: dict[object, list[str]] = {}
    for name, (_, value) in found.items():
        by_object.setdefault(_identity(value), []).append(name)
    best: dict[str, tuple[Kind, Any, tuple[str, ...]]] = {}
    for names in by_object.values():
        first, *others = sorted(names, key=lambda name: _badness(name, found[name][1]))
        kind, value = found[first]
        # numpy.random.normal is RandomState.normal of a hidden object: a C method that a function repeats.
        twin = texts.get(value.__doc__, "") if not inspect.isfunction(_unwrapped(value)) else ""
        if twin.rpartition(".")[2] != first.rpartition(".")[2]:
            best[first] = (kind, value, tuple(others))
    return best


def _identity(value: Any) -> object:
    value = _unwrapped(value)
    owner = getattr(value, "__objclass__", None)
    return (id(owner), value.__name__) if owner is not None else id(value)


def _unwrapped(value: Any) -> Any:
    if inspect.isclass(value):
        return value
    value = getattr(value, "__func__", value)  # a class method, bound anew at each access
    try:
        return inspect.unwrap(value)
    except ValueError:
        return value


def _badness(name: str, value: Any) -> tuple[bool, int, int, str]:
    qualified = getattr(_unwrapped(value), "__qualname__", "") or getattr(value, "__name__", "")
    return (not f".{name}".endswith(f".{qualified}"), name.count("."), len(name), name)


def _text(value: Any) -> str:
    return value.__doc__ if isinstance(getattr(value, "__doc__", None), str) else ""


def _unusable(doc: Docstring) -> str:
    """Why a docstring is left out; empty where it is used."""
    if not doc.summary:
        return "no documentation"
    return "deprecated" if doc.deprecated or "deprecated" in doc.summary.lower() else ""

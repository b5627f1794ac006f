"""The public callables of an installed package, each once, with signature and parsed docstring."""

import importlib.metadata
import inspect
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from tasks.errors import SourceError
from tasks.prepare.collect.documentation.docstrings import Docstring, parse_docstring
from tasks.prepare.collect.documentation.members import members, methods_of, modules
from tasks.prepare.collect.documentation.signatures import Argument, arguments

Kind = Literal["function", "class", "method"]


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
        for module in modules(package, left_out):
            for name, value in members(module, package):
                found[f"{module.__name__}.{name}"] = (
                    "class" if inspect.isclass(value) else "function",
                    value,
                )
        named = _best_names(found)
        methods: dict[str, tuple[Kind, Any]] = {}
        for name, (kind, value, _) in named.items():
            if kind == "class":
                methods.update(
                    {
                        f"{name}.{path}": ("method", v)
                        for path, v in methods_of(name, value, package, left_out)
                    }
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

"""The names that people use for a callable and for its parameters.

Nobody types `sklearn.ensemble.RandomForestClassifier`: they type `RandomForestClassifier`, `np.sum`, or say
"random forest classifier". A short name is used only where no other callable has it.
"""

import random
import re
from collections import Counter
from collections.abc import Iterable, Mapping

from tasks.prepare.collect.documentation.callables import PublicCallable

# The names under which the ecosystem imports packages, and what else they are called.
_IMPORTED_AS = {"numpy": "np", "pandas": "pd", "networkx": "nx", "polars": "pl"}
_CALLED = {
    "numpy": ("numpy", "NumPy", "np"),
    "sklearn": ("sklearn", "scikit-learn", "scikit learn"),
    "scipy": ("scipy", "SciPy"),
    "pandas": ("pandas", "pd"),
}
# What the shortened words in names of parameters stand for.
_WRITTEN_OUT = {
    "n": "number of",
    "num": "number of",
    "max": "maximum",
    "min": "minimum",
    "iter": "iterations",
    "tol": "tolerance",
    "rtol": "relative tolerance",
    "atol": "absolute tolerance",
    "func": "function",
    "dtype": "data type",
    "sep": "separator",
    "freq": "frequency",
    "init": "initialisation",
    "std": "standard deviation",
    "deg": "degree",
    "pos": "positive",
    "neg": "negative",
    "dim": "dimension",
    "dims": "dimensions",
    "ndim": "number of dimensions",
    "coef": "coefficient",
    "reg": "regularization",
    "cov": "covariance",
    "eps": "epsilon",
    "prob": "probability",
    "args": "arguments",
    "params": "parameters",
    "kwargs": "keyword arguments",
    "cv": "cross validation",
    "idx": "index",
    "val": "value",
    "vals": "values",
    "arr": "array",
    "fs": "sampling frequency",
}
_INNER_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_STYLES = ("full", "full quoted", "alias", "short", "short quoted", "short call", "spoken")
_WEIGHTS = (14, 12, 14, 22, 12, 8, 18)


class Naming:
    """Names callables of `entries`, each so that it can only mean the one."""

    def __init__(self, entries: Iterable[PublicCallable]) -> None:
        entries = list(entries)
        counts = Counter(
            (scope, ending)
            for entry in entries
            for ending in _endings(entry.name)
            for scope in ("", entry.package)
        )
        self._short: dict[str, str] = {}
        self._short_in_package: dict[str, str] = {}
        for entry in entries:
            for scope, table in (("", self._short), (entry.package, self._short_in_package)):
                alone = (each for each in _endings(entry.name) if counts[scope, each] == 1)
                table[entry.name] = next(alone, entry.name)

    def callable(self, entry: PublicCallable, draw: random.Random) -> str:
        """What somebody may call it."""
        style = draw.choices(_STYLES, weights=_WEIGHTS)[0]
        name = entry.name
        short, mentions = self._short[name], ""
        if style.startswith(("short", "spoken")) and draw.random() < 0.4:
            # With its package beside it a name need only be the one in that package.
            short = self._short_in_package[name]
            mentions = f" {draw.choice(('in', 'of', 'from'))} {package_name(entry.package, draw)}"
        words = spelled(short)
        said = {
            "full": name,
            "full quoted": f"`{name}`",
            "alias": imported(name),
            "short quoted": f"`{short}`",
            "short call": short if entry.kind == "class" else f"{short}()",
            "spoken": words if len(words.split()) > 1 else short,
        }
        return said.get(style, short) + mentions


def package_name(package: str, draw: random.Random) -> str:
    """What people call a package, or a part of one (`scipy.signal`)."""
    top = package.partition(".")[0]
    return draw.choice(_CALLED.get(top, (top,)))


def parameter(name: str, draw: random.Random) -> str:
    """What somebody may call a parameter."""
    bare = name.lstrip("*")
    spaced = bare.replace("_", " ").strip()
    whole = unabbreviated(bare)
    match draw.choices(("plain", "quoted", "apostrophes", "spoken", "whole"), weights=(45, 26, 6, 13, 10))[0]:
        case "quoted":
            return f"`{name}`"
        case "apostrophes":
            return f"'{bare}'"
        case "whole" if whole != spaced:
            return whole
        case "spoken" if spaced != bare and len(spaced) > 3:
            return spaced
        case _:
            return bare


def unabbreviated(name: str) -> str:
    """The words of a parameter's name, written out: `max_iter` gives `max iterations`."""
    return " ".join(_WRITTEN_OUT.get(word, word) for word in name.strip("_").split("_") if word)


def imported(name: str) -> str:
    """A qualified name as code has it after the usual import: `np.sum`, `stats.norm`."""
    top, _, rest = name.partition(".")
    return f"{_IMPORTED_AS[top]}.{rest}" if top in _IMPORTED_AS else rest


def spelled(name: str) -> str:
    """The words of a name: `RandomForestClassifier` gives `random forest classifier`."""
    return " ".join(word.lower() for word in _INNER_WORD.findall(name))


def last_parts(names: Mapping[str, str] | Iterable[str]) -> dict[str, str]:
    """For each qualified name its shortest ending that no other of them has."""
    names = list(names)
    counts = Counter(ending for name in names for ending in _endings(name))
    return {name: next((e for e in _endings(name) if counts[e] == 1), name) for name in names}


def _endings(name: str) -> list[str]:
    """The endings of a qualified name, the shortest first: `sum`, `numpy.sum`."""
    parts = name.split(".")
    return [".".join(parts[-count:]) for count in range(1, len(parts) + 1)]

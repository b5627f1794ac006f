"""Where the rows of a source come from and under which licence, as far as somebody says so."""

import json
from collections.abc import Iterable
from importlib.metadata import PackageMetadata, metadata
from pathlib import Path
from typing import Any

from tasks.prepare.collect.documentation.callables import installed
from tasks.prepare.collect.hub_datasets import INFO
from tasks.prepare.collect.pieces import About
from tasks.prepare.collect.readme import front_matter
from tasks.prepare.collect_settings import (
    DatasetSource,
    ExtractsSource,
    PackagesSource,
    QueriesSource,
    Source,
)

_CLASSIFIER = "License :: "
_LONGEST = 100  # characters of a licence that is a name, and not its text


def provenance(source: Source, names: Iterable[str], about: About | None = None) -> dict[str, Any]:
    """What the report says of a source: the `names` under which its rows stand, licences, origin, languages.

    What params.yaml says wins over what the source says of itself (`about`: where a dataset does). Nothing,
    or an empty text, is unknown. Of a dataset of the hub its commit is told as well.
    """
    found = _own_words(source, about)
    return {
        "names": sorted(names),
        "licences": {"": source.licence} if source.licence else found["licences"],
        "origin": source.origin or found["origin"],
        "languages": found["languages"],
        **({"commit": about.commit} if about and about.commit else {}),
    }


def _own_words(source: Source, about: About | None) -> dict[str, Any]:
    """What a source says of itself."""
    known: dict[str, Any] = {"licences": {}, "origin": "", "languages": []}
    match source:
        case PackagesSource() | ExtractsSource():
            named = {package.distribution: package for package in map(installed, source.packages)}
            licences = {
                f"{name} {package.version}": licence_of(name) for name, package in sorted(named.items())
            }
            return {
                **known,
                "licences": licences,
                "origin": "documentation of packages as installed from the package index",
                "languages": ["en"],
            }
        case QueriesSource():
            return {**known, "origin": "made up by threeply: no text of anybody's", "languages": ["en"]}
        case DatasetSource() if about:
            found = _of_dataset(about.folder)
            return {**found, "origin": f"dataset {source.id} of the Hugging Face hub"} if source.id else found
        case _:
            return known


def licence_of(distribution: str) -> str:
    """The licence of an installed package by its own metadata; empty where it names none (PEP 639)."""
    told = metadata(distribution)
    if named := _field(told, "License-Expression"):
        return named
    classes = [name for name in told.get_all("Classifier") or () if name.startswith(_CLASSIFIER)]
    if classes:
        return ", ".join(name.rpartition(" :: ")[2] for name in classes)
    named = _field(told, "License")
    return named if len(named) <= _LONGEST and "\n" not in named else ""


def _field(told: PackageMetadata, name: str) -> str:
    return told[name].strip() if name in told else ""


def _of_dataset(folder: Path) -> dict[str, Any]:
    """What a dataset of Hugging Face says in the front matter of its README, or in dataset_info.json."""
    told = _info(folder / INFO) | front_matter(folder)
    licences = _listed(told.get("license"))
    return {
        "licences": {"": ", ".join(licences)} if licences else {},
        "origin": next(iter(_listed(told.get("homepage"))), ""),
        "languages": _listed(told.get("language")),
    }


def _info(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _listed(value: Any) -> list[str]:
    """A text, or a list of texts, as a list without empty ones; each on a line."""
    values = value if isinstance(value, list) else [value]
    return [" ".join(each.split()) for each in values if isinstance(each, str) and each.strip()]

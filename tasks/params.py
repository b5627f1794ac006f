"""Reads params.yaml into `Settings`; every fault is reported at once, one sentence each."""

import difflib
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from deploy.errors import SettingsError
from tasks.settings import Settings, Source

Key = tuple[int | str, ...]

SOURCES: dict[str, type[BaseModel]] = {
    get_args(kind.model_fields["kind"].annotation)[0]: kind for kind in get_args(get_args(Source)[0])
}


def load_settings(path: Path) -> Settings:
    """The checked settings of `path`.

    Raises:
        SettingsError: the file is missing, is no YAML mapping, or some values are wrong; the message
            has one line for each fault: the key, the value, and what would be right.
    """
    return check_settings(read_params(path), origin=str(path))


def read_params(path: Path) -> dict[str, Any]:
    """The mapping in `path`, unchecked. The reader is DVC's: duplicate keys are faults, 1e-4 is a number."""
    try:
        values = YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise SettingsError(
            f"{path} is not there; run the command in the project's folder, or name the file with --params"
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path} cannot be read: {error}") from None
    except YAMLError as error:
        raise SettingsError(f"{path} is not valid YAML{_place(error)}") from None
    if not isinstance(values, dict):
        raise SettingsError(f"{path} holds {type(values).__name__}, but a mapping of sections is needed")
    return values


def check_settings(values: dict[str, Any], *, origin: str) -> Settings:
    """`values` as `Settings`; `origin` is named in the message if they are wrong."""
    try:
        return Settings.model_validate(values)
    except ValidationError as error:
        faults: dict[Key, list[Any]] = {}
        for fault in error.errors():
            faults.setdefault(_key(fault["loc"]), []).append(fault)
        lines = [_sentence(key, same) for key, same in faults.items()]
        head = f"{origin}: {len(lines)} setting{'s are' if len(lines) > 1 else ' is'} wrong"
        raise SettingsError("\n  ".join([head, *lines])) from None


def _sentence(key: Key, faults: Sequence[Any]) -> str:
    """What is wrong with `key`; a union gives one fault for each of its members."""
    name = ".".join(str(part) for part in key) or "the file"
    first = faults[0]
    match first["type"]:
        case "extra_forbidden":
            known = _known(first["loc"])
            near = difflib.get_close_matches(str(key[-1]), known, n=1)
            return f"{name}: unknown key; " + (f"did you mean {near[0]}?" if near else _listed(known))
        case "missing":
            return f"{name}: missing; add it (the params.yaml of the project has a value for every key)"
        case "union_tag_invalid":
            return f"{name}.kind: {first['ctx']['tag']!r} is wrong; {_listed(SOURCES)}"
        case "union_tag_not_found":
            return f"{name}.kind: missing; {_listed(SOURCES)}"
        case "value_error":
            return f"{name}: {first['ctx']['error']}"
        case _:
            wanted = " or ".join(re.sub(r"^\w+ should ", "", fault["msg"]) for fault in faults)
            return f"{name}: {first['input']!r} is wrong; it should {wanted}"


def _key(loc: Key) -> Key:
    """`loc` as it stands in the file: without the union members that pydantic names inside it."""
    match loc:
        case (section, field, int(index), str(), *rest):  # the tag of a source
            return (section, field, index, *rest)
        case (section, field, str(), *rest):  # a type, such as literal['auto']
            return (section, field, *rest)
        case _:
            return loc


def _known(loc: Key) -> list[str]:
    """The keys that may stand where `loc` stands."""
    match loc:
        case (_,):
            model: type[BaseModel] = Settings
        case (_, _, int(), str(tag), _):
            model = SOURCES[tag]
        case (section, *_):
            named = {field.alias or name: field.annotation for name, field in Settings.model_fields.items()}
            model = named[str(section)]  # type: ignore[assignment]  # every section is a model
    return [field.alias or name for name, field in model.model_fields.items()]


def _listed(names: Iterable[str]) -> str:
    return f"known: {', '.join(names)}"


def _place(error: YAMLError) -> str:
    if not isinstance(error, MarkedYAMLError):
        return ""
    mark = error.problem_mark
    place = f" at line {mark.line + 1}, column {mark.column + 1}" if mark else ""
    return f"{place}: {error.problem}"

"""Reads params.yaml into `Settings`; every fault is reported at once, one sentence each."""

import difflib
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError

from deploy.errors import SettingsError
from tasks.settings import Settings


def load_settings(path: Path) -> Settings:
    """The checked settings of `path`.

    Raises:
        SettingsError: the file is missing, is no YAML mapping, or some values are wrong; the message
            has one line for each fault: the key, the value, and what would be right.
    """
    return check_settings(read_params(path), origin=str(path))


def read_params(path: Path) -> dict[str, Any]:
    """The mapping in `path`, unchecked."""
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise SettingsError(
            f"{path} is not there; run the command in the project's folder, or name the file with --params"
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path} cannot be read: {error}") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f" at line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        problem = getattr(error, "problem", None) or "not valid YAML"
        raise SettingsError(f"{path} is not valid YAML{place}: {problem}") from None
    if not isinstance(values, dict):
        raise SettingsError(f"{path} holds {type(values).__name__}, but a mapping of sections is needed")
    return values


def check_settings(values: dict[str, Any], *, origin: str) -> Settings:
    """`values` as `Settings`; `origin` is named in the message if they are wrong."""
    try:
        return Settings.model_validate(values)
    except ValidationError as error:
        lines = [_sentence(fault, values) for fault in error.errors()]
        head = f"{origin}: {len(lines)} setting{'s are' if len(lines) > 1 else ' is'} wrong"
        raise SettingsError("\n  ".join([head, *lines])) from None


def _sentence(fault: Any, values: dict[str, Any]) -> str:
    key = ".".join(str(part) for part in _shown(fault["loc"], values))
    given = fault.get("input")
    match fault["type"]:
        case "extra_forbidden":
            near = difflib.get_close_matches(str(fault["loc"][-1]), _known(fault["loc"]), n=1)
            hint = f"did you mean {near[0]}?" if near else f"known: {', '.join(_known(fault['loc']))}"
            return f"{key}: unknown key; {hint}"
        case "missing":
            return f"{key}: missing; add it (the params.yaml of the project has a value for every key)"
        case "value_error":
            return f"{key}: {fault['ctx']['error']}"
        case _:
            message = fault["msg"][0].lower() + fault["msg"][1:]
            return f"{key}: {given!r} is wrong; {message.replace('input should be', 'it should be')}"


def _shown(loc: tuple[int | str, ...], values: Any) -> list[int | str]:
    """`loc` without the names that pydantic adds for the members of a union."""
    shown: list[int | str] = []
    here = values
    for position, part in enumerate(loc):
        inside = isinstance(here, dict) and part in here
        listed = isinstance(here, list) and isinstance(part, int) and part < len(here)
        if inside or listed:
            here = here[part]
            shown.append(part)
        elif isinstance(here, dict) and position == len(loc) - 1:
            shown.append(part)  # a missing key
    return shown or list(loc)


def _known(loc: tuple[int | str, ...]) -> list[str]:
    """The keys that the section at `loc` has."""
    model: type[BaseModel] = Settings
    if len(loc) > 1:
        by_name = {field.alias or name: field for name, field in Settings.model_fields.items()}
        section = by_name[str(loc[0])].annotation
        if not (isinstance(section, type) and issubclass(section, BaseModel)):
            return []
        model = section
        if len(loc) > 2:
            import tasks.settings as schema

            named = {
                kind.model_fields["kind"].annotation.__args__[0]: kind  # type: ignore[union-attr]
                for kind in (schema.PackagesSource, schema.FileSource, schema.MarkdownSource)
            }
            model = next((named[str(part)] for part in loc if str(part) in named), model)
    return [field.alias or name for name, field in model.model_fields.items()]

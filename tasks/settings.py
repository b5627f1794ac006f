"""params.yaml: its typed schema, composed of the sections of the rooms, and its reader.

Unknown keys are refused, values are never converted, and every fault is reported at once, one sentence each.
"""

import difflib
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated, Any, TypeVar, get_args

from pydantic import BaseModel, Field, ValidationError, model_validator
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from deploy.errors import SettingsError
from deploy.settings import GenerationSettings, PromptSettings, RetrievalSettings, Section, ServeSettings
from tasks.evaluation.settings import CalibrateSettings, EvaluateSettings
from tasks.lab.settings import CompareSettings
from tasks.machine.settings import RunSettings
from tasks.prepare.clean_settings import CleanSettings
from tasks.prepare.collect_settings import CollectSettings, Source
from tasks.prepare.settings import BaseSettings, IndexSettings, KnowledgeSettings, SplitSettings
from tasks.prepare.validate_settings import GateSettings, ValidateSettings
from tasks.recipes.settings import ClassifySettings, ImagesSettings
from tasks.release.settings import BundleSettings, CardSettings, ReportSettings
from tasks.training.settings import RewardSettings, RlhfSettings, SampleSettings, SearchSettings, SftSettings

Key = tuple[int | str, ...]
SectionT = TypeVar("SectionT", bound=Section)


class Settings(Section):
    """The whole of params.yaml."""

    run: RunSettings
    base: BaseSettings
    collect: CollectSettings
    clean: CleanSettings
    validate_: Annotated[ValidateSettings, Field(alias="validate")]
    gate: GateSettings
    split: SplitSettings
    index: IndexSettings
    knowledge: KnowledgeSettings
    retrieval: RetrievalSettings
    prompt: PromptSettings
    generation: GenerationSettings
    search: SearchSettings
    sft: SftSettings
    sample: SampleSettings
    reward: RewardSettings
    rlhf: RlhfSettings
    calibrate: CalibrateSettings
    evaluate: EvaluateSettings
    compare: CompareSettings
    classify: ClassifySettings
    images: ImagesSettings
    card: CardSettings
    bundle: BundleSettings
    report: ReportSettings
    serve: ServeSettings

    @model_validator(mode="after")
    def _variants_fit(self) -> "Settings":
        for name, variant in self.compare.variants.items():
            try:
                variant.settings(self.sft)
            except ValidationError as error:
                fault = error.errors()[0]
                key = ".".join(str(part) for part in fault["loc"])
                raise ValueError(f"compare.variants.{name}.sft.{key}: {fault['msg']}") from None
        return self

    def sections(self) -> dict[str, Section]:
        """The sections by their name in params.yaml."""
        fields = type(self).model_fields
        return {field.alias or name: getattr(self, name) for name, field in fields.items()}

    def section(self, kind: type[SectionT]) -> SectionT:
        """The one section of type `kind`."""
        return next(s for s in self.sections().values() if isinstance(s, kind))


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
            key = _key(fault["loc"], unknown=fault["type"] == "extra_forbidden")
            faults.setdefault(key, []).append(fault)
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


def _key(loc: Key, *, unknown: bool) -> Key:
    """`loc` as it stands in the file: without the union members that pydantic names inside it."""
    key: list[int | str] = []
    model: type[BaseModel] | None = Settings
    for part in loc:
        fields = _fields(model)
        if isinstance(part, int) or part in fields:
            key.append(part)
            model = fields.get(str(part), model)
        elif part in SOURCES and key:
            model = SOURCES[part]
        elif unknown:
            key.append(part)
    return tuple(key)


def _known(loc: Key) -> list[str]:
    """The keys that may stand where the last part of `loc` stands."""
    model: type[BaseModel] | None = Settings
    for part in loc[:-1]:
        model = SOURCES.get(str(part), _fields(model).get(str(part), model))
    return list(_fields(model))


def _fields(model: type[BaseModel] | None) -> dict[str, type[BaseModel] | None]:
    """The keys of a section, each with the section that it holds, if it holds one."""
    if model is None:
        return {}
    return {
        field.alias or name: field.annotation
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel)
        else None
        for name, field in model.model_fields.items()
    }


def _listed(names: Iterable[str]) -> str:
    return f"known: {', '.join(names)}"


def _place(error: YAMLError) -> str:
    if not isinstance(error, MarkedYAMLError):
        return ""
    mark = error.problem_mark
    place = f" at line {mark.line + 1}, column {mark.column + 1}" if mark else ""
    return f"{place}: {error.problem}"

"""params.yaml: its typed schema, composed of the sections of the rooms, and its reader.

Unknown keys are refused, values are never converted, and every fault is reported at once, one sentence each.
"""

import difflib
import json
import re
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from typing import Annotated, Any, TypeVar, get_args, get_origin

from pydantic import BaseModel, Field, ValidationError, model_validator
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from deploy.errors import SettingsError
from deploy.settings import GenerationSettings, PromptSettings, RetrievalSettings, Section, ServeSettings
from tasks.evaluation.settings import CalibrateSettings, EvaluateSettings
from tasks.lab.settings import CompareSettings
from tasks.machine.settings import ParallelSettings, RunSettings
from tasks.prepare.clean_settings import CleanSettings
from tasks.prepare.collect_settings import CollectSettings, Source
from tasks.prepare.settings import BaseSettings, IndexSettings, KnowledgeSettings, SplitSettings
from tasks.prepare.validate_settings import GateSettings, ValidateSettings
from tasks.recipes.settings import ClassifySettings, ImagesSettings
from tasks.release.settings import BundleSettings, CardSettings, ReportSettings
from tasks.training.rlhf_settings import RlhfSettings
from tasks.training.settings import (
    QueryEncoderSettings,
    RerankSettings,
    RewardSettings,
    SampleSettings,
    SearchSettings,
    SftSettings,
)

Key = tuple[int | str, ...]
SectionT = TypeVar("SectionT", bound=Section)


class Settings(Section):
    """The whole of params.yaml."""

    run: RunSettings
    parallel: ParallelSettings
    base: BaseSettings
    collect: CollectSettings
    clean: CleanSettings
    validate_: Annotated[ValidateSettings, Field(alias="validate")]
    gate: GateSettings
    split: SplitSettings
    index: IndexSettings
    knowledge: KnowledgeSettings
    retrieval: RetrievalSettings
    query_encoder: QueryEncoderSettings
    rerank: RerankSettings
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
    name: kind
    for kind in get_args(get_args(Source)[0])
    for name in get_args(kind.model_fields["kind"].annotation)
}
_FEW = 4  # words that a value may be, which are all listed even where one is spelled like it
# What pydantic says in words of Python, by the type of its fault.
_WANTED = {
    "bool_type": "be true or false",
    "dict_type": "be a mapping, such as {name: value}",
    "list_type": "be a list, such as [one, two]",
    "path_type": "be a path",
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
        # Of a value that may be a word or a list, a list with a wrong item is told by its item alone.
        inside = {key[:-1] for key in faults if key and isinstance(key[-1], int)}
        told = {key: same for key, same in faults.items() if key not in inside or not _is_union(same)}
        missing = {key for key, same in told.items() if same[0]["type"] == "missing"}
        lines = [_sentence(key, same, missing) for key, same in told.items()]
        head = f"{origin}: {len(lines)} setting{'s are' if len(lines) > 1 else ' is'} wrong"
        raise SettingsError("\n  ".join([head, *lines])) from None


def _sentence(key: Key, faults: Sequence[Any], missing: Collection[Key]) -> str:
    """What is wrong with `key`; a union gives one fault for each of its members."""
    name = ".".join(str(part) for part in key) or "the file"
    first = faults[0]
    match first["type"]:
        case "extra_forbidden":
            known = _known(first["loc"])
            lost = [each for each in known if (*key[:-1], each) in missing]  # one of these was meant
            return f"{name}: unknown key; {_near(key[-1], known, lost)}"
        case "literal_error" if first["loc"][-1] == "[key]":
            return f"{name}: unknown key; {_near(key[-1], _options(first))}"
        case "missing":
            return f"{name}: missing; add it (the params.yaml of the project has a value for every key)"
        case "union_tag_invalid" | "union_tag_not_found":
            tag = first.get("ctx", {}).get("tag")
            return f"{name}.kind: {'missing' if tag is None else f'{tag!r} is wrong'}; {_listed(SOURCES)}"
        case "value_error":
            return f"{name}: {first['ctx']['error']}"
        case _:
            return f"{name}: {_shown(first['input'])} is wrong; {_right(faults)}"


def _right(faults: Sequence[Any]) -> str:
    """What would be right instead of a value."""
    if len(faults) == 1 and faults[0]["type"] == "literal_error" and len(_options(faults[0])) > _FEW:
        return _near(faults[0]["input"], _options(faults[0]))
    return f"it should {' or '.join(dict.fromkeys(map(_wanted, faults)))}"


def _wanted(fault: Any) -> str:
    """What one fault says after `it should`."""
    if fault["type"] == "model_type":
        return f"be a mapping of {', '.join(_known((*fault['loc'], '')))}"
    if fault["type"] == "string_type" and isinstance(fault["input"], int | float):
        return "be a valid string: put it in quotes"
    if fault["type"] == "less_than_equal" and fault["ctx"]["le"] == 1.0:
        return "be at most 1: 0.3 is 30 %"
    said = re.sub(r"^\w+ should ", "", fault["msg"]).replace(" after validation", "")
    return _WANTED.get(fault["type"], said)


def _shown(value: Any) -> str:
    """A value as it stands in the file."""
    return json.dumps(value) if value is None or isinstance(value, bool) else repr(value)


def _options(fault: Any) -> list[str]:
    """The words of which a value should be one."""
    return re.findall(r"'([^']*)'", fault["ctx"]["expected"])


def _near(word: object, known: Sequence[str], likely: Sequence[str] = ()) -> str:
    """The one of the known words that is spelled like `word`, `likely` ones first, or else all of them."""
    near = [each for words in (likely, known) for each in difflib.get_close_matches(str(word), words, n=1)]
    return f"did you mean {near[0]}?" if near else _listed(known)


def _is_union(faults: Sequence[Any]) -> bool:
    return all(fault["type"] == "literal_error" for fault in faults)


def _key(loc: Key, *, unknown: bool) -> Key:
    """`loc` as it stands in the file: without the union members that pydantic names inside it."""
    key: list[int | str] = []
    kind: Any = Settings
    for part in loc:
        fields = _fields(kind)
        if isinstance(part, int) or part in fields:
            key.append(part)
            kind = fields.get(str(part), kind)
        elif part in SOURCES and key:
            kind = SOURCES[part]
        elif get_origin(kind) is dict and part != "[key]":
            key.append(part)
            kind = get_args(kind)[1]
        elif unknown:
            key.append(part)
    return tuple(key)


def _known(loc: Key) -> list[str]:
    """The keys that may stand where the last part of `loc` stands."""
    kind: Any = Settings
    for part in loc[:-1]:
        kind = SOURCES.get(str(part)) or _fields(kind).get(str(part), kind)
    return list(_fields(kind))


def _fields(kind: Any) -> dict[str, Any]:
    """The keys of a section, each with the type of its value; none of what is no section."""
    if not (isinstance(kind, type) and issubclass(kind, BaseModel)):
        return {}
    return {field.alias or name: field.annotation for name, field in kind.model_fields.items()}


def _listed(names: Iterable[str]) -> str:
    return f"known: {', '.join(names)}"


def _place(error: YAMLError) -> str:
    if not isinstance(error, MarkedYAMLError):
        return ""
    mark = error.problem_mark
    place = f" at line {mark.line + 1}, column {mark.column + 1}" if mark else ""
    return f"{place}: {error.problem}"

"""Protects the one name in every place: a stage is declared by its signature, and dvc.yaml agrees with it."""

import inspect
import json
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from deploy.settings import OWN_PROMPTS, Section
from tasks.command import parser
from tasks.release.report import SHOWN
from tasks.settings import Settings
from tasks.stages import ALL, LAB, RECIPES, STAGES, load_stage
from tests.conftest import ROOT


def declared(file: str) -> dict[str, Any]:
    """The stages of a file, by the stage of tasks that each runs; one of many stands for all of them."""
    entries: dict[str, Any] = YAML(typ="safe", pure=True).load(ROOT / file)["stages"]
    spelled = {
        name: json.loads(re.sub(r"\$\{item\.\w+\}", "1", json.dumps(e))) for name, e in entries.items()
    }
    return {entry["cmd"].split()[3]: entry for entry in spelled.values()}


CHAIN = declared("dvc.yaml")
GRAPH: dict[str, Any] = {**CHAIN, **declared("lab/dvc.yaml"), **declared("recipes/dvc.yaml")}
CODE = ("deploy", "tasks", "flows", "requirements.lock")  # what a stage runs on, not what it reads


def names(entries: list[Any]) -> list[str]:
    """The paths of outs, metrics or plots, each spelled plain or with its options."""
    return [entry if isinstance(entry, str) else next(iter(entry)) for entry in entries]


def test_the_graph_has_exactly_the_stages() -> None:
    assert set(CHAIN) == set(STAGES)
    assert set(GRAPH) - set(CHAIN) == {*LAB, *RECIPES}


@pytest.mark.parametrize("name", ALL)
def test_a_stage_is_a_function_of_its_name_with_a_docstring_and_its_own_section(name: str) -> None:
    stage = load_stage(name)
    assert stage.function.__name__ == name
    assert stage.function.__module__ == ALL[name]
    assert ALL[name].rpartition(".")[2] == name
    assert inspect.getdoc(stage.function), f"{name} has no docstring"
    assert inspect.getdoc(inspect.getmodule(stage.function)), f"{ALL[name]} has no docstring"
    sections = {field.alias or key: field.annotation for key, field in Settings.model_fields.items()}
    own = sections.get(name)
    given = stage.sections.values()  # None: all of them
    assert own is None or own in given or None in given, f"{name} ignores its section of params.yaml"


@pytest.mark.parametrize("name", ALL)
def test_the_command_of_a_stage_parses_and_names_each_path_of_the_graph(name: str) -> None:
    stage, entry = load_stage(name), GRAPH[name]
    words = shlex.split(entry["cmd"])
    assert words[:4] == ["python", "-m", "tasks", name]
    paths = parser(stage).parse_args(words[4:])
    inputs: list[Path] = []
    for key in stage.inputs:
        value = getattr(paths, key)
        if key not in stage.optional:  # what may be missing is no dependency
            inputs += value if isinstance(value, list) else [value]
    if stage.prompted:
        assert paths.prompts == Path(OWN_PROMPTS), "a template of the user's own could change unnoticed"
        inputs.append(paths.prompts)
    data = [path for path in entry.get("deps", []) if path.split("/")[0] not in CODE]
    assert sorted(map(str, inputs)) == sorted(data)
    written = [path for key in ("outs", "metrics", "plots") for path in names(entry.get(key, []))]
    assert sorted(str(getattr(paths, key)) for key in stage.outputs) == sorted(written)


@pytest.mark.parametrize("name", ALL)
def test_a_stage_is_given_just_the_sections_that_the_graph_tracks(name: str) -> None:
    kinds: dict[type[Section], str] = {
        field.annotation: field.alias or key  # type: ignore[misc]
        for key, field in Settings.model_fields.items()
    }
    given = {kinds[kind] for kind in load_stage(name).sections.values() if kind}
    given -= {"parallel"}  # what is made is the same whatever it says
    if name == "report":  # it is given all sections, and shows those of the chain
        given = set(SHOWN)
    tracked = {key.partition(".")[0] for key in GRAPH[name].get("params", [])}
    assert given == tracked, "an undeclared section would go stale unnoticed"


@pytest.mark.parametrize("name", ALL)
def test_a_stage_is_one_simple_command(name: str) -> None:
    # A shell between DVC and the stage would be the parent whose death the stage waits for.
    assert not set(GRAPH[name]["cmd"]) & set("&|;<>$`")

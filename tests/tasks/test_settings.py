"""Protects the promise that every fault in params.yaml is told at once, by its key, without a traceback."""

import re
from pathlib import Path
from typing import Any, get_args

import pytest

from deploy.errors import SettingsError
from tasks.machine.settings import overlay
from tasks.methods import METHODS
from tasks.prepare.collect_settings import FileSource, PackagesSource
from tasks.settings import SOURCES, Settings, check_settings, load_settings, read_params
from tasks.training.reinforcement.algorithms import ALGORITHMS
from tasks.training.settings import SftSettings
from tests.conftest import ROOT

PARAMS = ROOT / "params.yaml"


@pytest.fixture
def values() -> dict[str, Any]:
    return read_params(PARAMS)


def fault(values: dict[str, Any]) -> str:
    with pytest.raises(SettingsError) as caught:
        check_settings(values, origin="params.yaml")
    return str(caught.value)


def test_the_projects_params_are_right() -> None:
    settings = load_settings(PARAMS)
    assert set(settings.sections()) == set(read_params(PARAMS))
    assert settings.section(type(settings.sft)) is settings.sft


def test_no_setting_has_a_default() -> None:
    sections = [field.annotation for field in Settings.model_fields.values()]
    optional = [
        f"{kind.__name__}.{name}"
        for kind in dict.fromkeys([*sections, *SOURCES.values()])
        if isinstance(kind, type)
        for name, field in kind.model_fields.items()  # type: ignore[attr-defined]
        if not field.is_required()
    ]
    # Methods have the defaults of their papers in tasks/methods, which is a dependency of sft, and algorithms
    # theirs in tasks/training/reinforcement, which is one of rlhf. A mapping that
    # is left out maps nothing, and a name that is left out holds nothing out: these are no values to change.
    # What nobody says of a source's licence and origin is unknown, and what has no tags is everybody's. A
    # dataset lies in a folder or on the hub, and what names the other place is left out.
    kinds = ("FileSource", "UrlSource", "DatasetSource", "SqlSource")
    left_out = [f"{kind}.{name}" for kind in kinds for name in ("columns", "held_out", "keep", "teaches")]
    left_out += [f"DatasetSource.{name}" for name in ("path", "id", "revision", "subset")]
    left_out += [f"{kind}.tags" for kind in (*kinds, "FolderSource", "PackagesSource")]
    chosen = [*(f"SftSettings.{name}" for name in METHODS), *(f"RlhfSettings.{name}" for name in ALGORITHMS)]
    unknown = [f"{kind.__name__}.{name}" for kind in SOURCES.values() for name in ("licence", "origin")]
    allowed = [*chosen, *left_out, *dict.fromkeys(unknown)]
    assert sorted(optional) == sorted(allowed), "a default in code is invisible to DVC"


def test_a_key_of_before_is_told_with_the_name_that_it_has_now(values: dict[str, Any]) -> None:
    values["sft"]["evaluations"] = values["sft"].pop("validation_passes")
    # validation_rows is spelled more like it, and is there.
    assert "sft.evaluations: unknown key; did you mean validation_passes?" in fault(values)


def test_packing_is_no_setting(values: dict[str, Any]) -> None:
    values["sft"]["packing"] = True
    assert "sft.packing" in fault(values)


def test_every_method_can_be_chosen() -> None:
    assert set(get_args(SftSettings.model_fields["method"].annotation)) == {*METHODS, "auto"}
    for name, method in METHODS.items():
        assert SftSettings.model_fields[name].annotation is method.settings


def test_faults_inside_the_section_of_a_method_are_told_in_full(values: dict[str, Any]) -> None:
    values["sft"]["lora"] |= {"rank": 0, "variant": "pisa", "rnk": 3}
    values["sft"]["hybrid"] = {"lora": ["q_proj"], "adapter": ["q_proj"]}
    with pytest.raises(SettingsError) as caught:
        check_settings(values, origin="params.yaml")
    assert str(caught.value).splitlines()[1:] == [
        "  sft.lora.rank: 0 is wrong; it should be greater than or equal to 1",
        "  sft.lora.variant: 'pisa' is wrong; it should be 'lora', 'rslora', 'dora' or 'pissa'",
        "  sft.lora.rnk: unknown key; did you mean rank?",
        "  sft.hybrid: q_proj cannot have a LoRA and an adapter; give each module one",
    ]


def test_all_faults_are_told_at_once(values: dict[str, Any]) -> None:
    values["run"]["threads"] = "many"
    values["sft"]["batchsize"] = values["sft"].pop("batch_size")
    values["rlhf"]["mini_batches"] = 50
    values["base"]["model_sha256"] = "abc"
    values["sfft"] = {}
    del values["bundle"]
    head, *lines = fault(values).split("\n  ")
    assert head == "params.yaml: 7 settings are wrong"
    assert sorted(lines) == [
        "base.model_sha256: 'abc' is wrong; it should be 64 of 0-9 and a-f, as sha256sum prints them",
        "bundle: missing; add it (the params.yaml of the project has a value for every key)",
        "rlhf: mini_batches (50) must be at most prompts (16)",
        "run.threads: 'many' is wrong; it should be 'auto' or be a valid integer",
        "sfft: unknown key; did you mean sft?",
        "sft.batch_size: missing; add it (the params.yaml of the project has a value for every key)",
        "sft.batchsize: unknown key; did you mean batch_size?",
    ]


def test_faults_inside_a_source_are_told_by_their_own_key(values: dict[str, Any]) -> None:
    source = values["collect"]["sources"][0]
    source["pakages"] = source["packages"]
    source["packages"] = [3]
    source["unanswerable"] = 1.5
    lines = fault(values).split("\n  ")
    assert "collect.sources.0.pakages: unknown key; did you mean packages?" in lines
    assert "collect.sources.0.packages.0: 3 is wrong; it should be a valid string: put it in quotes" in lines
    assert any(line.startswith("collect.sources.0.unanswerable: 1.5 is wrong") for line in lines)


@pytest.mark.parametrize(
    ("source", "said"), [({"kind": "fil"}, "'fil' is wrong"), ({"path": "a"}, "missing")]
)
def test_a_source_of_no_known_kind(values: dict[str, Any], source: dict[str, Any], said: str) -> None:
    values["collect"]["sources"] = [source]
    known = ", ".join(SOURCES)
    assert f"collect.sources.0.kind: {said}; known: {known}" in fault(values)


def test_the_kinds_of_sources_come_from_the_schema() -> None:
    assert SOURCES["packages"] is PackagesSource
    assert SOURCES["file"] is FileSource


@pytest.mark.parametrize(
    ("section", "changed", "said"),
    [
        ("clean", {"steps": ["repair"]}, "clean.steps.0: 'repair' is wrong; did you mean repairs?"),
        ("clean", {"signals": {"word": [3.0, 9.0]}}, "clean.signals.word: unknown key; did you mean words?"),
        ("clean", {"signals": {"words": [3.0]}}, "clean.signals.words: [3.0] is wrong"),
        ("clean", {"blobs": None}, "clean.blobs: null is wrong; it should be a mapping of max_share"),
        ("validate", {"severity": {"sums": "low"}}, "validate.severity.sums: unknown key; did you mean sum?"),
        ("validate", {"severity": {"sum": "low"}}, "validate.severity.sum: 'low' is wrong; it should be"),
        ("validate", {"unanswerable_between": [0.6, 0.1]}, "[0.6, 0.1] is wrong; it should be [least, most]"),
        ("gate", {"max_dropped": 30}, "gate.max_dropped: 30 is wrong; it should be at most 1: 0.3 is 30 %"),
        ("gate", {"allow_warnings": 1}, "gate.allow_warnings: 1 is wrong; it should be true or false"),
        ("split", {"by": "time"}, "split: time is null, and by: time needs the column that dates rows"),
        ("split", {"evaluations": [3]}, "split.evaluations.0: 3 is wrong; it should be a path"),
    ],
)
def test_a_fault_is_told_by_its_whole_key_and_in_words_of_the_file(
    values: dict[str, Any], section: str, changed: dict[str, Any], said: str
) -> None:
    values[section] |= changed
    assert said in fault(values)


def test_a_wrong_item_of_a_list_is_told_by_itself(values: dict[str, Any]) -> None:
    values["clean"]["language"]["keep"] = ["en", "xx", "eng", "jp"]
    told = "is no language that can be told; codes are of ISO 639, such as en, de or zh"
    assert fault(values).split("\n  ")[1:] == [
        f"clean.language.keep.1: 'xx' {told}",
        "clean.language.keep.2: 'eng' is no language that can be told; did you mean en?",
        f"clean.language.keep.3: 'jp' {told}",
    ]


def test_faults_of_a_source_with_two_kinds_are_told_by_their_own_key(values: dict[str, Any]) -> None:
    values["collect"]["sources"] = [{"kind": "markdown", "folder": "manual"}]
    lines = fault(values).split("\n  ")
    assert "collect.sources.0.folder: unknown key; known: licence, origin, tags, kind, path" in lines
    assert any(line.startswith("collect.sources.0.path: missing") for line in lines)


def test_an_address_in_the_place_of_its_variable_is_not_shown(values: dict[str, Any]) -> None:
    source = {"kind": "sql", "name": "a", "url_env": "postgres://me:hunter2@host/db", "query": "SELECT 1"}
    values["collect"]["sources"] = [source]
    said = fault(values)
    assert "url_env: it should be the name of a variable of the environment, such as TICKETS_URL" in said
    assert "hunter2" not in said


def test_a_value_of_another_type_is_not_converted(values: dict[str, Any]) -> None:
    values["sft"]["epochs"] = "3"
    assert "sft.epochs: '3' is wrong; it should be a valid integer" in fault(values)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, "is not there; run the command in the project's folder"),
        (b"run: [1", "is not valid YAML at line 1"),
        (b"run: 1\nrun: 2\n", 'found duplicate key "run"'),
        (b"- 1\n", "holds list, but a mapping of sections is needed"),
        (b"", "holds NoneType"),
        (b"\xff\xfe", "cannot be read"),
    ],
)
def test_unreadable_files(tmp_path: Path, text: bytes | None, said: str) -> None:
    path = tmp_path / "params.yaml"
    if text is not None:
        path.write_bytes(text)
    with pytest.raises(SettingsError) as caught:
        load_settings(path)
    assert said in str(caught.value)
    assert str(path) in str(caught.value)


def test_numbers_may_be_written_as_dvc_reads_them(tmp_path: Path) -> None:
    path = tmp_path / "params.yaml"
    text = re.sub(r"learning_rate: [\d.]+", "learning_rate: 1e-3", PARAMS.read_text(encoding="utf-8"))
    path.write_text(text, encoding="utf-8")
    assert load_settings(path).sft.lora.learning_rate == 0.001


@pytest.mark.parametrize(
    ("compare", "said"),
    [
        (
            {"methods": ["lora", "loar"]},
            "methods names loar, which is neither a method nor one of the variants",
        ),
        ({"variants": {"lora": {"method": "full"}}}, "a variant may not have the name of a method: lora"),
        (
            {"variants": {"few": {"method": "lora", "sft": {"max_row": 1}}}},
            "compare.variants.few.sft.max_row",
        ),
    ],
)
def test_a_variant_that_does_not_fit_is_refused(compare: dict[str, Any], said: str) -> None:
    assert said in fault(overlay(read_params(PARAMS), {"compare": compare}))

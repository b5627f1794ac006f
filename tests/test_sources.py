"""Protects docs/sources: each example is run as it stands, and every kind, setting and reason is told."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml

from deploy.documents.reading import formats
from tasks.prepare.collect_settings import CollectSettings, DescribedSource, RowsSource, Source
from tests.conftest import ROOT
from tests.interpreter import python
from tests.tasks.prepare.collect.running import collected

FOLDER = ROOT / "docs/sources"
PAGES = sorted(path for path in FOLDER.glob("*.md") if path.name != "README.md")
TEXTS = {path.stem: path.read_text(encoding="utf-8") for path in FOLDER.glob("*.md")}
# A fenced block, and the file that the line above it names, if it names one.
BLOCK = re.compile(r"(?:^In `(sources/[\w./-]+)`:\n\n)?^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
KINDS = {
    kind: source
    for source in get_args(get_args(Source)[0])
    for kind in get_args(source.model_fields["kind"].annotation)
}
# Where a kind is told of, if not on a page of its name.
PAGE_OF = {"file": "files", "markdown": "documents"}
UNTRIED = ("url", "id")  # what needs a network, by its settings


@dataclass
class Case:
    """An example: what has to be there before, the sources, and what `collect` says of them."""

    page: str
    files: dict[str, str]
    code: list[str]
    variables: dict[str, str]
    sources: Any = None
    said: list[str] = field(default_factory=list)


def cases() -> Iterator[Case]:
    for path in PAGES:
        case = Case(path.stem, {}, [], {})
        for file, language, body in BLOCK.findall(TEXTS[path.stem]):
            if file:
                case.files[file] = body
            elif language == "python":
                case.code.append(body)
            elif language == "sh":
                case.variables |= dict(re.findall(r"export (\w+)=(\S+)", body))
            elif language == "yaml":
                case.sources = yaml.safe_load(body)["collect"]
            elif language == "text":
                case.said = body.splitlines()
                yield case
                case = Case(path.stem, dict(case.files), [], {})
        if case.sources is not None:  # none says what comes of it
            yield case


CASES = list(cases())


@pytest.mark.parametrize("case", CASES, ids=[f"{case.page}-{n}" for n, case in enumerate(CASES)])
def test_an_example_gives_what_its_page_says(
    case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = CollectSettings.model_validate(case.sources)
    if any(getattr(source, name, "") for source in settings.sources for name in UNTRIED):
        assert case.said == []
        return
    if any(".xlsx" in str(source) for source in settings.sources):
        pytest.importorskip("openpyxl", reason="installed by: make extras")
    (tmp_path / "sources").mkdir()
    for name, text in case.files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    for code in case.code:
        python("-c", code, place=tmp_path)
    for name, value in case.variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    collected(Path(), settings)
    said = capsys.readouterr().out
    assert case.said, "the page does not say what comes of it"
    assert [line for line in case.said if line not in said] == [], said


def test_each_kind_has_its_example_and_each_setting_is_told() -> None:
    tried = {source["kind"] for case in CASES for source in case.sources["sources"]}
    assert set(KINDS) - tried == {"markdown"}  # which differs from `documents` by the files that it reads
    common = {*DescribedSource.model_fields, *RowsSource.model_fields}
    everywhere = TEXTS["README"] + TEXTS["files"]
    untold = [
        f"{kind}: {name}"
        for kind, source in KINDS.items()
        for name in source.model_fields
        if not re.search(rf"\b{name}\b", TEXTS[PAGE_OF.get(kind, kind)] + everywhere * (name in common))
    ]
    assert untold == []
    assert [kind for kind in KINDS if f"`{kind}`" not in TEXTS["README"]] == []


def test_each_reason_is_told() -> None:
    code = "".join(
        path.read_text(encoding="utf-8") for path in (ROOT / "tasks/prepare/collect").rglob("*.py")
    )
    reading = "".join(
        path.read_text(encoding="utf-8") for path in Path(formats.__file__).parent.rglob("*.py")
    )
    found = {
        *re.findall(r'(?:Fault\([^()"]+, |reason = |LEFT_OUT = )"(\w+)"', code),
        *re.findall(r'\breason="(\w+)"', reading),
    }
    assert {"broken_csv", "wrong_shape", "nothing_preferred", "left_out_by_people", "no_text"} <= found
    told = "".join(TEXTS.values())
    assert [reason for reason in sorted(found - {"other_format"}) if f"`{reason}`" not in told] == []

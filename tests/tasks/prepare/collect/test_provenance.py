"""Protects what is said of licence and origin: by params.yaml first, by the source next, else nothing."""

import json
from pathlib import Path
from typing import Any

import pytest

from tasks.prepare.collect.pieces import About
from tasks.prepare.collect.provenance import licence_of, provenance
from tasks.prepare.collect_settings import DatasetSource, FileSource, QueriesSource

NAMES = {"faq"}


def dataset(folder: Path, **given: Any) -> DatasetSource:
    return DatasetSource(kind="dataset", path=folder, split="train", **given)


def test_what_params_says_wins() -> None:
    source = FileSource(kind="file", path=Path("faq.jsonl"), licence="CC0-1.0", origin="our desk")
    assert provenance(source, NAMES) == {
        "names": ["faq"],
        "licences": {"": "CC0-1.0"},
        "origin": "our desk",
        "languages": [],
    }


def test_a_file_says_nothing_of_itself() -> None:
    found = provenance(FileSource(kind="file", path=Path("faq.jsonl")), NAMES)
    assert (found["licences"], found["origin"]) == ({}, "")


def test_packages_tell_their_licence() -> None:
    assert "BSD" in licence_of("numpy")
    assert licence_of("threeply") != "UNKNOWN"
    assert "made up" in provenance(QueriesSource(kind="queries", max_rows=1), NAMES)["origin"]


def test_a_dataset_tells_by_its_readme_or_its_info(tmp_path: Path) -> None:
    info = {"license": "mit", "homepage": "https://example.org"}
    (tmp_path / "dataset_info.json").write_text(json.dumps(info))
    assert provenance(dataset(tmp_path), NAMES, About(folder=tmp_path))["licences"] == {"": "mit"}
    (tmp_path / "README.md").write_text("---\nlicense: [cc-by-4.0, mit]\nlanguage: de\n---\n# A set\n")
    found = provenance(dataset(tmp_path), NAMES, About(folder=tmp_path))
    assert found["licences"] == {"": "cc-by-4.0, mit"}
    assert (found["origin"], found["languages"]) == ("https://example.org", ["de"])
    assert provenance(dataset(tmp_path, licence="mine"), NAMES, About(folder=tmp_path))["licences"] == {
        "": "mine"
    }


@pytest.mark.parametrize(
    "text", ["---\n: [\n---\n", "---\n- a\n---\n", "# No front matter\n", "---\nlicense: {a: b}\n---"]
)
def test_front_matter_that_says_nothing_stops_nothing(tmp_path: Path, text: str) -> None:
    (tmp_path / "README.md").write_text(text)
    (tmp_path / "dataset_info.json").write_text("[1")
    assert provenance(dataset(tmp_path), NAMES, About(folder=tmp_path))["licences"] == {}

"""Protects which files are a split: those that the README names, and never those of another subset."""

from typing import Any

import pytest

from tasks.errors import SourceError
from tasks.prepare.collect.subsets import files_of

NAMES = (
    "README.md",
    ".cache/train.jsonl",
    "de/test-00000-of-00001.parquet",
    "de/train-00000-of-00001.parquet",
    "fr/train-00000-of-00002.parquet",
    "fr/train-00001-of-00002.parquet",
    "fr/train.zip",
)
DE = {"config_name": "de", "data_files": [{"split": "train", "path": "de/train-*"}]}
FR = {"config_name": "fr", "data_files": [{"split": "train", "path": ["fr/train-*", "fr/*.zip"]}]}


def found(
    told: dict[str, Any], subset: str = "", split: str = "train", names: tuple[str, ...] = NAMES
) -> list[str]:
    return [str(path) for path in files_of(names, told, subset=subset, split=split, where="desk/faq")]


def test_the_readme_says_which_files_a_subset_has(capsys: pytest.CaptureFixture[str]) -> None:
    assert found({"configs": [DE, FR]}, "de") == ["de/train-00000-of-00001.parquet"]
    assert found({"configs": [DE, FR]}, "fr") == [
        "fr/train-00000-of-00002.parquet",
        "fr/train-00001-of-00002.parquet",
    ]
    assert "1 files of the split train are of formats that are not read" in capsys.readouterr().out


@pytest.mark.parametrize("told", [{"configs": [DE, FR]}, {}])
def test_where_there_are_several_subsets_one_has_to_be_named(told: dict[str, Any]) -> None:
    with pytest.raises(
        SourceError, match=r"desk/faq has several subsets: de, fr; name one of them with `subset`"
    ):
        found(told)
    with pytest.raises(SourceError, match=r"has no subset 'it': .*de, fr"):
        found(told, "it")


def test_the_only_subset_and_the_default_one_need_no_name() -> None:
    assert found({"configs": [DE]}) == ["de/train-00000-of-00001.parquet"]
    assert found({"configs": [FR, {**DE, "default": True}]}) == ["de/train-00000-of-00001.parquet"]
    assert found({"configs": [FR, {**DE, "config_name": "default"}]}) == ["de/train-00000-of-00001.parquet"]


def test_files_that_belong_to_no_split_are_train() -> None:
    told = {"configs": [{"config_name": "default", "data_files": "de/*"}]}
    assert found(told) == ["de/test-00000-of-00001.parquet", "de/train-00000-of-00001.parquet"]
    with pytest.raises(SourceError, match="has no split 'test': it has train"):
        found(told, split="test")


def test_without_patterns_the_names_below_the_folder_tell() -> None:
    told = {"configs": [{"config_name": "german", "data_dir": "de"}, FR]}
    assert found(told, "german", "test") == ["de/test-00000-of-00001.parquet"]


def test_folders_are_subsets_where_the_readme_lists_none() -> None:
    assert found({}, "de") == ["de/train-00000-of-00001.parquet"]
    converted = ("cola/train/0000.parquet", "cola/test/0000.parquet", "mnli/train/0000.parquet")
    assert found({}, "cola", "test", converted) == ["cola/test/0000.parquet"]
    assert found({}, names=("train/0.parquet", "test/0.parquet")) == ["train/0.parquet"]


@pytest.mark.parametrize(
    ("told", "names", "message"),
    [
        ({}, ("faq.py", "README.md"), r"has no split 'train': no file of it ends in \.jsonl"),
        ({"configs": [FR]}, ("fr/train.zip",), r"its files end in \.zip; what is read ends in \.jsonl"),
        ({"configs": [FR]}, ("other.jsonl",), "its README names files that are not there"),
        (
            {"configs": [{"config_name": "a", "data_files": "a**/x"}]},
            ("a.jsonl",),
            r"its README names files by a\*\*/x, which cannot be read",
        ),
    ],
)
def test_what_cannot_be_read_is_told(told: dict[str, Any], names: tuple[str, ...], message: str) -> None:
    with pytest.raises(SourceError, match=message):
        found(told, names=names)


@pytest.mark.parametrize("configs", ["de", [1], [{"data_files": "x"}], [{"config_name": ["a"]}]])
def test_a_readme_that_makes_no_sense_is_as_good_as_none(configs: Any) -> None:
    assert found({"configs": configs}, names=("train.jsonl",)) == ["train.jsonl"]

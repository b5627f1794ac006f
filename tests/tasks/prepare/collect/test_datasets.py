"""Protects datasets of Hugging Face: as its library writes them, split by split, labels by their names."""

import json
from pathlib import Path
from typing import Any

import pytest

from tasks.errors import SourceError
from tasks.prepare.collect.datasets import read_dataset
from tasks.prepare.collect.identifiers import Collected
from tasks.prepare.collect.pieces import in_memory
from tasks.prepare.collect_settings import DatasetSource

ROWS = {"question": ["Why?", "Who?", "When?"], "answer": ["Because.", "She.", "Now."]}


def read(path: Path, split: str = "train", **columns: str) -> Collected:
    source = DatasetSource(kind="dataset", path=path, split=split, columns=columns)
    return in_memory(read_dataset(source, watched=path, cache=path))


def asked(found: Collected) -> list[str]:
    return [row.prompt[0].content for row in found.rows.examples]


def dataset(values: dict[str, Any], split: str | None = None, **features: Any) -> Any:
    from datasets import Dataset, Features

    return Dataset.from_dict(values, features=Features(features) if features else None, split=split)


def test_what_save_to_disk_writes_is_read_in_its_order(tmp_path: Path) -> None:
    dataset(ROWS).save_to_disk(tmp_path / "faq", num_shards=2)
    found = read(tmp_path / "faq")
    assert asked(found) == ROWS["question"]
    assert found.figures["files"] == 2
    assert {row.source for row in found.rows.examples} == {(tmp_path / "faq").as_posix()}


def test_of_several_splits_the_named_one_is_read(tmp_path: Path) -> None:
    from datasets import DatasetDict

    other = {"question": ["Where?"], "answer": ["Here."]}
    DatasetDict({"train": dataset(ROWS), "test": dataset(other, "test")}).save_to_disk(tmp_path / "faq")
    assert asked(read(tmp_path / "faq", "test")) == ["Where?"]
    assert asked(read(tmp_path / "faq")) == ROWS["question"]
    with pytest.raises(SourceError, match="has no split 'dev': it has test, train"):
        read(tmp_path / "faq", "dev")
    with pytest.raises(SourceError, match="is the split 'test', and params"):
        read(tmp_path / "faq" / "test")


def test_a_snapshot_of_the_hub_is_read_by_the_names_of_its_files(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / ".cache").mkdir()
    (tmp_path / ".cache" / "train.jsonl").write_text("none of the dataset's")
    dataset(ROWS).to_parquet(tmp_path / "data" / "train-00000-of-00002.parquet")
    more = '{"question": "Where?", "answer": "Here."}\nbroken\n'
    (tmp_path / "data" / "train-00001-of-00002.jsonl").write_text(more)
    (tmp_path / "data" / "test-00000-of-00001.jsonl").write_text(more)
    found = read(tmp_path)
    assert asked(found) == [*ROWS["question"], "Where?"]
    (lost,) = found.dropped
    assert (lost.reason, lost.source) == ("broken_json", tmp_path.as_posix())
    assert lost.detail.startswith("data/train-00001-of-00002.jsonl line 2: ")
    with pytest.raises(SourceError, match="has no split 'validation': it has train, test"):
        read(tmp_path, "validation")


def test_of_a_folder_too_the_readme_says_which_files_a_subset_has(tmp_path: Path) -> None:
    configs = [f"- config_name: {name}\n  data_files: {name}/*.jsonl\n" for name in ("de", "fr")]
    (tmp_path / "README.md").write_text(f"---\nconfigs:\n{''.join(configs)}---\n")
    for name in ("de", "fr"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "rows.jsonl").write_text(f'{{"question": "{name}?", "answer": "Yes."}}\n')
    with pytest.raises(SourceError, match="has several subsets: de, fr"):
        read(tmp_path)
    source = DatasetSource(kind="dataset", path=tmp_path, subset="fr", split="train")
    assert asked(in_memory(read_dataset(source, watched=tmp_path, cache=tmp_path))) == ["fr?"]


def test_files_that_name_no_split_are_all_read(tmp_path: Path) -> None:
    (tmp_path / "faq.jsonl").write_text('{"question": "Where?", "answer": "Here."}\n')
    assert asked(read(tmp_path)) == ["Where?"]


@pytest.mark.parametrize("form", ["arrow", "parquet"])
def test_labels_are_read_by_their_names(tmp_path: Path, form: str) -> None:
    from datasets import ClassLabel, Value

    labelled = dataset(
        {"text": ["Nice.", "Bad."], "label": [1, 0]},
        text=Value("string"),
        label=ClassLabel(names=["no", "yes"]),
    )
    if form == "arrow":
        labelled.save_to_disk(tmp_path / "set")
    else:
        labelled.to_parquet(tmp_path / "set" / "train.parquet")
    found = read(tmp_path / "set", prompt="text", completion="label")
    assert [row.answer for row in found.rows.examples] == ["yes", "no"]


def test_a_damaged_dataset_is_told(tmp_path: Path) -> None:
    folder = tmp_path / "faq"
    with pytest.raises(SourceError, match="is not a folder; correct the path"):
        read(folder)
    dataset(ROWS).save_to_disk(folder)
    state = json.loads((folder / "state.json").read_text())
    (shard,) = folder.glob("*.arrow")
    shard.write_bytes(shard.read_bytes()[:200])
    with pytest.raises(SourceError, match=r"cannot be read as Arrow after row 0"):
        read(folder)
    state["_data_files"] = [{"filename": "../elsewhere.arrow"}]
    (folder / "state.json").write_text(json.dumps(state))
    with pytest.raises(SourceError, match=r"is not there; save the dataset anew"):
        read(folder)
    (folder / "state.json").write_text("{")
    with pytest.raises(SourceError, match=r"state\.json cannot be read"):
        read(folder)
    (tmp_path / "empty").mkdir()
    with pytest.raises(SourceError, match=r"has no split 'train': no file of it ends in \.jsonl"):
        read(tmp_path / "empty")

"""Protects datasets of the hub: one split at one commit, fetched once; else a sentence with the next step.

The real client of the hub asks a server of this test; no network is used.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from tasks.errors import DownloadError, SourceError
from tasks.prepare.collect.datasets import read_dataset
from tasks.prepare.collect.identifiers import Collected
from tasks.prepare.collect.pieces import in_memory
from tasks.prepare.collect_settings import CollectSettings, DatasetSource
from tasks.release.tables import source_table
from tests.tasks.prepare.collect.running import collected
from tests.tasks.prepare.hub.playing import FIRST, SECOND, Hub, playing

README = b"---\nlicense: cc0-1.0\nlanguage: en\n---\n# Questions\n"
TRAIN = b'{"question": "Why?", "answer": "Because."}\n'
LARGE = TRAIN * 1000


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    files = {
        "README.md": README,
        "train.jsonl": LARGE,
        "test.jsonl": TRAIN,
        "run_me.py": b"raise SystemExit(9)\n",
    }
    with playing(Hub("desk/faq", commits={FIRST: files}), tmp_path / "hf") as running:
        yield running


def read(cache: Path, *, revision: str = FIRST, split: str = "train", **more: Any) -> Collected:
    source = DatasetSource(kind="dataset", id="desk/faq", revision=revision, split=split, **more)
    return in_memory(read_dataset(source, watched=cache, cache=cache))


def test_at_a_commit_nobody_is_asked_again(hub: Hub, tmp_path: Path) -> None:
    found = read(tmp_path)
    assert len(found.rows.examples) == 1000
    assert {row.source for row in found.rows.examples} == {"hub:desk/faq"}
    assert found.figures["commit"] == FIRST
    held = f"/datasets/desk/faq/resolve/{FIRST}/"
    assert {line.partition(" ")[2] for line in hub.asked} == {
        f"/api/datasets/desk/faq/revision/{FIRST}",
        f"{held}README.md",
        f"{held}train.jsonl",
    }, "no other file is fetched, code least of all, and nothing is told of this machine"
    assert [agent for agent in hub.agents if "torch" in agent or "session" in agent] == []
    hub.asked.clear()
    assert read(tmp_path).rows == found.rows
    assert hub.asked == []


def test_a_branch_is_asked_for_each_time_and_only_what_has_changed_is_fetched(
    hub: Hub, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert read(tmp_path, revision="main").figures["commit"] == FIRST
    assert f"hub:desk/faq@main is {FIRST}: DVC does not notice" in capsys.readouterr().out
    hub.commits[SECOND] = {**hub.commits[FIRST], "train-more.jsonl": TRAIN}
    hub.branches["main"] = SECOND
    hub.asked.clear()
    found = read(tmp_path, revision="main")
    assert (found.figures["commit"], len(found.rows.examples)) == (SECOND, 1001)
    assert [line for line in hub.asked if line.startswith("GET /datasets")] == [
        f"GET /datasets/desk/faq/resolve/{SECOND}/train-more.jsonl"
    ]


def test_a_damaged_copy_is_fetched_anew_and_a_lying_hub_is_not_believed(hub: Hub, tmp_path: Path) -> None:
    read(tmp_path)
    (copy,) = tmp_path.glob("sources/*/files/train.jsonl")
    copy.write_bytes(LARGE.replace(b"Why?", b"Who?"))
    assert {row.prompt[0].content for row in read(tmp_path).rows.examples} == {"Why?"}
    copy.unlink()
    hub.commits[FIRST]["train.jsonl"] = LARGE.replace(b"Why?", b"Who?")
    with pytest.raises(
        DownloadError, match=r"train\.jsonl .* another size or checksum than the hub has listed"
    ):
        read(tmp_path)
    assert not copy.exists()


def test_the_report_tells_the_commit_and_a_second_collect_knows_its_rows_again(
    hub: Hub, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = {"kind": "dataset", "id": "desk/faq", "revision": FIRST, "split": "train"}
    settings = CollectSettings.model_validate({"sources": [source]})
    (tmp_path / "sources").mkdir()
    collected(tmp_path, settings)
    (told,) = json.loads((tmp_path / "report.json").read_text())["figures"]["sources"]
    assert told["provenance"] == {
        "names": ["hub:desk/faq"],
        "licences": {"": "cc0-1.0"},
        "origin": "dataset desk/faq of the Hugging Face hub",
        "languages": ["en"],
        "commit": FIRST,
    }
    assert f"dataset desk/faq of the Hugging Face hub at {FIRST}" in source_table([told]).rows[0]
    capsys.readouterr()
    hub.asked.clear()
    collected(tmp_path, settings)
    assert "0 of 1 files read, 1 as before" in capsys.readouterr().out
    assert hub.asked == []


@pytest.mark.parametrize(
    ("revision", "refuse", "message"),
    [
        ("gone", {}, "it has no revision 'gone'; name a branch, a tag or a commit"),
        ("main", {"/api": (404, "RepoNotFound")}, "there is no such dataset, or none for everybody"),
        ("main", {"/api": (401, "")}, "401 Unauthorized; give a token that may read it by HF_TOKEN"),
        ("main", {"/datasets": (401, "GatedRepo")}, "it is gated; accept its terms"),
        ("main", {"/datasets": (403, "GatedRepo")}, "it is gated; accept its terms"),
        (
            "main",
            {"/api": (403, "")},
            "403 Forbidden; give a token that may read it by HF_TOKEN or `hf auth login`",
        ),
        ("main", {"/api": (500, "")}, "500 Internal Server Error; try again later"),
    ],
)
def test_what_the_hub_refuses_is_told_with_the_next_step(
    hub: Hub,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    revision: str,
    refuse: dict[str, tuple[int, str]],
    message: str,
) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_hidden")
    hub.refuse = refuse
    with pytest.raises(DownloadError, match=f"the dataset desk/faq@.* from the hub: .*{message}") as caught:
        read(tmp_path, revision=revision)
    assert "hf download desk/faq --repo-type dataset" in str(caught.value)
    assert hub.tokens == {"Bearer hf_hidden"}
    assert "hf_hidden" not in str(caught.value) + capsys.readouterr().out


def test_without_a_network_a_commit_that_is_here_is_read_and_another_is_told(
    hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read(tmp_path)
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    assert len(read(tmp_path).rows.examples) == 1000
    with pytest.raises(
        DownloadError, match=r"desk/faq@main could not be fetched .*: ConnectError; try again"
    ):
        read(tmp_path, revision="main")


def test_a_split_or_subset_that_is_not_there_is_told_before_any_row_is_fetched(
    hub: Hub, tmp_path: Path
) -> None:
    with pytest.raises(SourceError, match=r"desk/faq@a+ of the hub has no split 'dev': it has train, test;"):
        read(tmp_path, split="dev")
    configs = [f"- config_name: {name}\n  data_files: {name}.jsonl\n" for name in ("train", "test")]
    hub.commits[FIRST]["README.md"] = f"---\nconfigs:\n{''.join(configs)}---\n".encode()
    with pytest.raises(SourceError, match="has several subsets: train, test; name one of them with `subset`"):
        read(tmp_path / "other")
    assert [line for line in hub.asked if "jsonl" in line] == []
    assert len(read(tmp_path / "other", subset="test").rows.examples) == 1


@pytest.mark.parametrize("name", ["../../outside.jsonl", "/outside.jsonl"])
def test_no_file_of_a_hub_lands_elsewhere(hub: Hub, tmp_path: Path, name: str) -> None:
    hub.commits[FIRST][name] = TRAIN
    with pytest.raises(DownloadError, match=r"lists '.*outside\.jsonl', which is no file of its own"):
        read(tmp_path / "cache")
    assert list(tmp_path.rglob("outside.jsonl")) == []


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "either `path`, a folder, or `id`"),
        ({"path": Path("faq"), "id": "desk/faq", "revision": "main"}, "either `path`, a folder, or `id`"),
        ({"id": "desk/faq"}, "`id` and `revision` belong together"),
        ({"path": Path("faq"), "revision": "main"}, "`id` and `revision` belong together"),
        ({"id": "faq", "revision": "main"}, "OWNER/NAME, as the hub calls it"),
        ({"id": "desk/faq", "revision": "-h"}, "a commit, a tag or a branch"),
    ],
)
def test_a_dataset_is_named_in_one_place(given: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        DatasetSource(kind="dataset", split="train", **given)

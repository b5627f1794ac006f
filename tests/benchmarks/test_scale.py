"""Protects the benchmark of large stores: as many passages as asked for, recall that can fall, its tables."""

import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.scale import __main__ as scale
from benchmarks.scale import made, peers, steps
from benchmarks.scale.page import tables
from deploy.knowledge.chunking import chunk_documents
from deploy.knowledge.dense import DenseIndex

PASSAGES = 300


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("scale")
    monkeypatch = pytest.MonkeyPatch()
    monkeypatch.setattr(steps, "clusters", lambda count, seed: made.clusters(count=400, seed=seed))
    told = steps.build(place, place / "no store", PASSAGES, time.perf_counter)
    monkeypatch.undo()
    assert told["passages"] == PASSAGES
    return place


def test_each_number_has_a_word_and_the_first_are_the_shortest() -> None:
    words = [made.spelled(rank) for rank in range(20_000)]
    assert len(set(words)) == len(words)
    assert [len(word) for word in words] == sorted(len(word) for word in words)


@pytest.mark.parametrize("passages", [1, 50, 51])
def test_there_are_as_many_passages_as_are_asked_for_each_a_chunk(passages: int) -> None:
    documents = list(made.documents(passages=passages, seed=3))
    chunks = list(chunk_documents(documents, max_words=steps.CHUNK_WORDS))
    assert len(chunks) == passages
    assert len({document.title for document in documents}) == len(documents)
    assert documents == list(made.documents(passages=passages, seed=3))


def test_made_vectors_are_between_real_ones_and_a_little_beside() -> None:
    real = made.clusters(count=500, seed=0)
    spun = made.spun(real, count=200, seed=1)
    assert np.linalg.norm(spun, axis=1) == pytest.approx(np.ones(200), abs=1e-5)
    nearest = (spun @ real.T).max(axis=1)
    assert 0.6 < nearest.mean() < 0.98
    further = made.spun(real, count=200, seed=1, beside=1.0)
    assert (further @ real.T).max(axis=1).mean() < nearest.mean()


def test_a_store_is_searched_without_what_was_deleted(folder: Path) -> None:
    told = steps.search(folder, time.perf_counter)
    assert told["recall_10"] >= 0.98
    assert told["recall_candidates"] >= 0.98
    assert 0.0 < told["search_p50_ms"] <= told["search_p95_ms"]
    assert told["delete_p50_ms"] > 0.0


def test_an_index_that_misses_has_less_recall(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = DenseIndex.best

    def furthest(self: DenseIndex, query: np.ndarray, count: int, **hidden: Any) -> np.ndarray:
        return plain(self, -query, count, **hidden)

    monkeypatch.setattr(DenseIndex, "best", furthest)
    assert steps.search(folder, time.perf_counter)["recall_10"] < 0.5


def test_a_deleted_document_that_is_found_stops_it(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(steps.LiveKnowledge, "delete", lambda self, name: True)
    gone = [document.id for document in made.documents(passages=PASSAGES, seed=0)][:60]
    monkeypatch.setattr(steps, "DELETED", "most.json")
    (folder / "most.json").write_text(json.dumps(gone))
    with pytest.raises(AssertionError, match="found what was deleted"):
        steps.search(folder, time.perf_counter)


def test_what_is_added_is_told_at_each_mark(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(steps, "MARKS", (20,))
    told = steps.add(folder, 50, time.perf_counter)
    assert {"20", "50"} <= told.keys()
    assert told["50"]["put_longest_ms"] + 0.06 >= told["50"]["put_p95_ms"]  # one is rounded to tenths


def test_others_read_the_same_store_and_are_held_to_their_deletions(folder: Path) -> None:
    read = peers.read(folder)
    assert len(read.texts) == PASSAGES
    assert read.vectors.shape == (PASSAGES, made.DIMENSIONS)
    assert set(read.deleted) < set(read.ids)
    steady = peers.Peer(lambda _: ["x"], lambda _: None, lambda _: None)
    assert peers.measure(steady, read)["search_p50_ms"] >= 0.0
    forgetful = peers.Peer(lambda _: read.deleted[:1], lambda _: None, lambda _: None)
    with pytest.raises(AssertionError, match="found what was deleted"):
        peers.measure(forgetful, read)


def test_the_tables_say_what_was_measured_and_what_was_not(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    figures = {
        "cores": 1, "build_seconds": 12.3, "disk_mib": 1500, "open_seconds": 0.5, "memory_mib": 900,
        "search_p50_ms": 10.0, "search_p95_ms": 20.0, "delete_p50_ms": 5.0, "recall_10": 0.9951,
        "recall_candidates": 0.9922,
        "langchain": {"search_p50_ms": 45.0, "delete_one_ms": 2.0, "rebuild_ms": 998.0}, "llamaindex": {},
    }  # fmt: skip
    text = tables({"1000": figures, "2000": {}})
    assert (
        "| 1,000 passages | 12 s | 1,500 MiB | 0.5 s | 900 MiB | 10.0 ms | 20.0 ms | 0.992 | 0.995 |" in text
    )
    assert "| 45.0 ms (4.50 \u00d7) | \u2013 | 1,000 ms | \u2013 |" in text
    assert "| 2,000 passages | \u2013" in text
    page = tmp_path / "page.md"
    page.write_text("head\n<!-- scale -->\nold\n<!-- /scale -->\ntail\n", encoding="utf-8")
    log = tmp_path / "log"
    log.write_text(f"told\n{json.dumps({'1000': figures})}\n", encoding="utf-8")
    monkeypatch.setattr(scale, "PAGE", page)
    monkeypatch.setattr(sys, "argv", ["scale", "--told", str(log), "--write"])
    assert scale.main() == 0
    written = page.read_text(encoding="utf-8")
    assert "1,500 MiB" in written
    assert "old" not in written
    assert json.loads(capsys.readouterr().out.splitlines()[-1]) == {"1000": figures}

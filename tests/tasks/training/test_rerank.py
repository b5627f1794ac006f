"""Protects the stage `rerank`: it learns to rank, keeps only what ranks better for sure, and says why not."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from deploy.files import files_below
from deploy.knowledge.embedder import SentenceEmbedder
from deploy.knowledge.reranker import FOLDER, WEIGHTS, has_reranker
from deploy.knowledge.store import open_knowledge
from tasks.rows.records import Example
from tasks.rows.reports import Report, read_report, unbalanced
from tasks.rows.skipped import leave_note
from tasks.training.rerank import rerank
from tests.conftest import small_settings
from tests.tasks.rows.made import question
from tests.tasks.training.ranking.made import asked, write_ambiguous_index, write_splits

TOY = {
    "enabled": True,
    "candidates": 6,
    "max_tokens": 64,
    "max_rows": 40,
    "epochs": 4,
    "learning_rate": 0.01,
    "validation_passes": 3,
}
PAIRS = 100


@pytest.fixture(scope="module")
def index(tiny_embedder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An index over which the search alone cannot know what answers."""
    return write_ambiguous_index(tmp_path_factory.mktemp("ambiguous"), tiny_embedder, PAIRS)


def run(
    folder: Path,
    embedder: Path,
    index: Path,
    rows: Sequence[Example],
    held_out: Sequence[Example],
    **changed: Any,
) -> Report:
    """The report of the stage over these rows; it writes into `folder`."""
    write_splits(folder, rows, held_out)
    leave_note(folder / "query_encoder", "query_encoder", "nobody asked for it")
    values = small_settings(rerank={**TOY, **changed}, retrieval={"top_k": 1})
    rerank(
        folder / "train.parquet",
        folder / "validation.parquet",
        embedder,
        index,
        folder / "query_encoder",
        retriever=folder / "retriever",
        report=folder / "rerank.json",
        run=values.run,
        retrieval=values.retrieval,
        settings=values.rerank,
    )
    report = read_report(folder / "rerank.json")
    assert unbalanced(report.rows) == []
    return report


@pytest.fixture(scope="module")
def learned(
    tiny_embedder: Path, index: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, Report]:
    """A reranker that was trained on one part of the questions and judged by another."""
    folder = tmp_path_factory.mktemp("learned")
    rows = [*asked(range(50)), question("free")]
    return folder, run(folder, tiny_embedder, index, rows, asked(range(60, PAIRS)))


def test_it_learns_which_passage_answers_and_ranks_unseen_questions_better(
    learned: tuple[Path, Report],
) -> None:
    figures, counts = learned[1].figures, learned[1].rows
    assert figures["kept"]
    assert "skipped" not in figures
    assert figures["before"]["recall@1"] < 0.8
    assert figures["after"]["recall@1"] > 0.95
    assert figures["after"]["mrr"] > figures["before"]["mrr"]
    assert figures["gain_mrr"]["low"] > 0.0
    assert (figures["chosen_by"], figures["judged_by"]) == (20, 20)
    assert [each["step"] for each in figures["passes"]] == sorted(each["step"] for each in figures["passes"])
    assert {row.reason: row.count for row in counts if row.outcome == "unused"} == {
        "it is not known what answers it": 1,
        "over rerank.max_rows": 10,
    }
    assert next(row.count for row in counts if row.outcome == "trained") == 40


def test_what_searches_with_its_output_finds_what_the_report_says(
    learned: tuple[Path, Report], tiny_embedder: Path, index: Path
) -> None:
    folder, _ = learned
    settings = small_settings(retrieval={"top_k": 1}).retrieval
    rows = asked(range(60, PAIRS))
    shares = []
    for embedder in (tiny_embedder, folder / "retriever"):
        store = open_knowledge(index, embedder, settings)
        found = store.search([row.prompt[-1].content for row in rows])
        store.close()
        right = [hits[0].document in row.evidence for row, hits in zip(rows, found, strict=True)]
        shares.append(sum(right) / len(rows))
    assert shares[0] < 0.8
    assert shares[1] > 0.95
    plain, retriever = (SentenceEmbedder(each) for each in (tiny_embedder, folder / "retriever"))
    assert plain.identity == retriever.identity


def test_the_same_rows_give_the_same_bytes(
    learned: tuple[Path, Report], tiny_embedder: Path, index: Path, tmp_path: Path
) -> None:
    rows = [*asked(range(50)), question("free")]
    assert run(tmp_path, tiny_embedder, index, rows, asked(range(60, PAIRS))) == learned[1]
    once, again = (folder / "retriever" / FOLDER / WEIGHTS for folder in (learned[0], tmp_path))
    assert once.read_bytes() == again.read_bytes()


def test_what_does_not_rank_better_for_sure_is_left_out(
    tiny_embedder: Path, index: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report = run(
        tmp_path, tiny_embedder, index, asked(range(30)), asked(range(60, PAIRS)), learning_rate=1e-9
    )
    assert report.figures["skipped"].startswith("it does not rank questions of validation better for sure")
    assert not report.figures["kept"]
    assert report.figures["after"] == report.figures["before"]
    assert not has_reranker(tmp_path / "retriever")
    assert "no reranker: it does not rank" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("rows", "held_out", "changed", "reason"),
    [
        (50, 40, {"enabled": False}, "rerank.enabled is false in params.yaml"),
        (0, 40, {}, "the training split has 0 questions of which it is known what answers them, and 20 are"),
        (19, 40, {}, "the training split has 19 questions of which it is known what answers them"),
        (50, 19, {}, "the validation split has 19 questions of which it is known what answers them"),
        (50, 40, {"max_rows": 10}, "of 10 questions 10 have an answer and something else among the first 6"),
    ],
)
def test_without_enough_questions_none_is_trained_and_the_reason_said(
    rows: int,
    held_out: int,
    changed: dict[str, Any],
    reason: str,
    tiny_embedder: Path,
    index: Path,
    tmp_path: Path,
) -> None:
    given = [*asked(range(rows)), question("free")]
    report = run(tmp_path, tiny_embedder, index, given, asked(range(60, 60 + held_out)), **changed)
    assert report.figures["skipped"].startswith(reason)
    if rows != 50:
        assert "give your questions the column evidence" in report.figures["skipped"]
    copied, own = (
        {path.relative_to(folder): path.read_bytes() for path in files_below(folder)}
        for folder in (tmp_path / "retriever", tiny_embedder)
    )
    assert copied == own

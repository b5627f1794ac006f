"""Protects the stage `query_encoder`: questions learn to find, passages stay, and chance is not kept."""

from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from deploy.knowledge.embedder import SentenceEmbedder
from deploy.knowledge.query_encoder import FOLDER
from deploy.knowledge.store import open_knowledge
from deploy.knowledge.trained import WEIGHTS
from deploy.messages import Message
from tasks.machine.device import set_up_torch
from tasks.rows.records import Example
from tasks.rows.reports import Report, read_report, unbalanced
from tasks.rows.skipped import leave_note, skip_reason
from tasks.training.query_encoder import query_encoder
from tasks.training.ranking.query_encoder import teaching
from tasks.training.rerank import rerank
from tests.conftest import small_settings
from tests.tasks.rows.made import question
from tests.tasks.training.ranking.made import asked as plainly_asked
from tests.tasks.training.ranking.made import write_ambiguous_index, write_splits

TOY = {
    "enabled": True,
    "max_rows": 40,
    "epochs": 20,
    "batch_size": 8,
    "learning_rate": 0.0005,
    "validation_passes": 5,
    "patience": 5,
}
SEARCH = {"top_k": 1, "dense_weight": 0.7}
PAIRS = 100


def asked(numbers: range) -> list[Example]:
    """Questions in a wording by which the wrong document of each pair is nearer, in words and in meaning."""
    return plainly_asked(numbers, "What xx is C of")


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
    values = small_settings(query_encoder={**TOY, **changed}, retrieval=SEARCH)
    query_encoder(
        folder / "train.parquet",
        folder / "validation.parquet",
        embedder,
        index,
        encoder=folder / FOLDER,
        report=folder / "report.json",
        run=values.run,
        retrieval=values.retrieval,
        settings=values.query_encoder,
    )
    report = read_report(folder / "report.json")
    assert unbalanced(report.rows) == []
    return report


def retriever(folder: Path, embedder: Path, index: Path) -> Path:
    """What the next stage makes of the output in `folder`: an embedder that reads questions so."""
    values = small_settings(rerank={"enabled": False})
    rerank(
        folder / "train.parquet",
        folder / "validation.parquet",
        embedder,
        index,
        folder / FOLDER,
        retriever=folder / "retriever",
        report=folder / "rerank.json",
        run=values.run,
        retrieval=values.retrieval,
        settings=values.rerank,
    )
    return folder / "retriever"


@pytest.fixture(scope="module")
def learned(
    tiny_embedder: Path, index: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, Report]:
    """A query encoder that was trained on one part of the questions and judged by another."""
    folder = tmp_path_factory.mktemp("learned")
    rows = [*asked(range(50)), question("free")]
    return folder, run(folder, tiny_embedder, index, rows, asked(range(60, PAIRS)))


def test_it_learns_to_find_what_answers_questions_that_it_has_not_seen(learned: tuple[Path, Report]) -> None:
    figures, counts = learned[1].figures, learned[1].rows
    assert figures["kept"]
    assert "skipped" not in figures
    assert figures["before"]["recall@1"] < 0.6
    assert figures["after"]["recall@1"] > 0.8
    assert figures["gain_mrr"]["low"] > 0.0
    assert (figures["chosen_by"], figures["judged_by"]) == (20, 20)
    assert {row.reason: row.count for row in counts if row.outcome == "unused"} == {
        "it is not known what answers it": 1,
        "over query_encoder.max_rows": 10,
    }
    assert next(row.count for row in counts if row.outcome == "trained") == 40


def test_what_searches_with_it_finds_what_the_report_says_in_the_same_store(
    learned: tuple[Path, Report], tiny_embedder: Path, index: Path
) -> None:
    served = retriever(learned[0], tiny_embedder, index)
    rows, settings = asked(range(60, PAIRS)), small_settings(retrieval=SEARCH).retrieval
    with closing(open_knowledge(index, served, settings)) as store:
        found = store.search([row.prompt[-1].content for row in rows])
    right = [hits[0].document in row.evidence for row, hits in zip(rows, found, strict=True)]
    assert sum(right) / len(right) > 0.8
    texts = ["C=1.0 : zz kind3", "else"]
    plain, tuned = SentenceEmbedder(tiny_embedder), SentenceEmbedder(served)
    assert plain.identity == tuned.identity
    np.testing.assert_array_equal(plain.embed_texts(texts), tuned.embed_texts(texts))


def test_a_question_is_read_in_training_as_it_is_when_served(tiny_embedder: Path) -> None:
    from tasks.training.ranking.query_encoding import QueryTower

    device = replace(set_up_torch(small_settings().run), precision="float32")
    questions = ["What is C of kind3?", "x", "y " * 300]
    trained = QueryTower(tiny_embedder, device).embed_queries(questions)
    np.testing.assert_allclose(trained, SentenceEmbedder(tiny_embedder).embed_queries(questions), atol=1e-5)


def test_the_same_rows_give_the_same_bytes(
    learned: tuple[Path, Report], tiny_embedder: Path, index: Path, tmp_path: Path
) -> None:
    rows = [*asked(range(50)), question("free")]
    assert run(tmp_path, tiny_embedder, index, rows, asked(range(60, PAIRS))) == learned[1]
    once, again = (folder / FOLDER / WEIGHTS for folder in (learned[0], tmp_path))
    assert once.read_bytes() == again.read_bytes()


def test_what_does_not_rank_better_for_sure_is_left_out_and_the_embedder_serves(
    tiny_embedder: Path, index: Path, tmp_path: Path
) -> None:
    report = run(
        tmp_path, tiny_embedder, index, asked(range(30)), asked(range(60, PAIRS)), learning_rate=1e-9
    )
    assert report.figures["skipped"].startswith("it does not rank questions of validation better for sure")
    assert report.figures["after"] == report.figures["before"]
    assert skip_reason(tmp_path / FOLDER) == report.figures["skipped"]
    assert not (retriever(tmp_path, tiny_embedder, index) / FOLDER).exists()


@pytest.mark.parametrize(
    ("rows", "held_out", "changed", "reason"),
    [
        (50, 40, {"enabled": False}, "query_encoder.enabled is false in params.yaml"),
        (19, 40, {}, "the training split has 19 questions of which it is known what answers them"),
        (50, 19, {}, "the validation split has 19 questions of which it is known what answers them"),
        (50, 40, {"max_rows": 10}, "of 10 questions 10 have a passage that answers them, and 20 are"),
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
    assert skip_reason(tmp_path / FOLDER) == report.figures["skipped"]


def test_what_teaches_is_each_passage_that_answers_and_what_is_withheld_is_hidden(
    tiny_embedder: Path, index: Path
) -> None:
    plain = asked(range(3))
    turns = (Message("user", "What about kind5?"), Message("assistant", "2.0"), Message("user", "And C?"))
    both = replace(plain[0], messages=(*turns, plain[0].messages[-1]), evidence=("right5", "right0"))
    hiding = replace(plain[1], withheld=("wrong1",))
    unheard = replace(plain[2], quote="what no passage says")
    settings = small_settings().retrieval
    with closing(open_knowledge(index, tiny_embedder, settings)) as store:
        first, second = teaching([both, hiding, unheard], store, _texts(index))
        ranges = store.ranges
    assert first.right == ((ranges["right5"][0],), (ranges["right0"][0],))
    assert "kind5" in first.before
    assert (second.before, second.hidden) == ("", (ranges["wrong1"][0],))


def _texts(index: Path) -> Sequence[str]:
    from deploy.knowledge.database import TRUTH, Database

    with closing(Database(index / TRUTH)) as database:
        return database.texts()[0]


def test_a_note_in_its_place_leaves_the_embedder_as_it_is(
    tiny_embedder: Path, index: Path, tmp_path: Path
) -> None:
    write_splits(tmp_path, [], [])
    leave_note(tmp_path / FOLDER, "query_encoder", "nobody asked")
    served = retriever(tmp_path, tiny_embedder, index)
    assert {path.name for path in served.iterdir()} == {path.name for path in tiny_embedder.iterdir()}

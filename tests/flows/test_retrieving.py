"""Protects `threeply retrieval`: real searches of a small index, and advice that the figures allow."""

from pathlib import Path
from typing import Any

import pytest

from flows.cli import main
from flows.tried import Tried, advice
from tasks.rows.records import Document, Example
from tasks.rows.tables import write_table
from tasks.scoring.recall import Ranked
from tasks.scoring.scores import Interval
from tasks.settings import load_settings
from tests.conftest import write_tiny_index
from tests.deploy.knowledge.encoded import write_random_query_encoder
from tests.deploy.knowledge.reranked import write_random_reranker
from tests.tasks.rows.made import default_asked, document

SHARES: dict[str, Any] = {"dense_weight": 0.5, "fusion": "scores", "chunk_words": 32}


@pytest.fixture
def indexed(here: Path, tiny_embedder: Path) -> Path:
    """A project with thirty documents, each with the answer to one validation question."""
    texts = {f"d{n}": f"C=1.0 : float, the price of kind{n}" for n in range(30)}
    (here / "data/models").mkdir(parents=True)
    (here / "data/models/embedder").symlink_to(tiny_embedder)
    write_tiny_index(here / "data/index", tiny_embedder, texts)
    rows = [default_asked(f"q{n}", f"What is C of kind{n}?", document=f"d{n}") for n in range(30)]
    write_table(here / "data/splits/validation/examples.parquet", Example, rows)
    documents = [document(name, text, title=name) for name, text in texts.items()]
    write_table(here / "data/splits/documents.parquet", Document, documents)
    return here


def test_words_find_what_random_vectors_do_not(indexed: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["retrieval", "--dense-weight", "0", "1", "--chunk-words", "64"]) == 0
    told = capsys.readouterr().out
    lines = [line.split() for line in told.splitlines()]
    shares = {(line[-10], line[-8]): float(line[-6]) for line in lines if line[-2:-1] == ["in"]}
    assert set(shares) == {(weight, words) for weight in ("0", "0.3", "1") for words in ("32", "64")}
    assert shares["0", "32"] == shares["0", "64"] == 1.0 > shares["1", "32"]
    assert "30 questions of the split validation" in told
    assert "keep what params.yaml has" in told


def test_a_reranker_has_a_line_beside_the_weights(
    indexed: Path, tiny_embedder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["retrieval", "--dense-weight", "0.3"]) == 0
    assert "with the" not in capsys.readouterr().out
    write_random_reranker(tiny_embedder, indexed / "data/models/retriever")
    assert main(["retrieval", "--dense-weight", "0.3"]) == 0
    told = capsys.readouterr().out
    line = next(line.split() for line in told.splitlines() if line.strip().startswith("with the reranker"))
    fused = next(line.split() for line in told.splitlines() if line.startswith("* 0.3"))
    assert float(line[3]) < float(fused[4]) == 1.0  # weights by chance put the right passage behind others
    assert line[6] == fused[7]  # among ten candidates it is still there
    assert "The reranker over the present setting, which is what is served, shows -" in told


def test_so_has_a_query_encoder_and_both_have_one_line(
    indexed: Path, tiny_embedder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_random_reranker(tiny_embedder, indexed / "data/models/retriever")
    write_random_query_encoder(tiny_embedder, indexed / "data/models/retriever")
    assert main(["retrieval", "--dense-weight", "0.3"]) == 0
    told = capsys.readouterr().out
    assert "  with the query encoder and reranker" in told
    assert "The query encoder and reranker over the present setting, which is what is served, show " in told


def test_what_shows_more_for_sure_is_written_and_nothing_less(
    indexed: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    params = indexed / "params.yaml"
    given = params.read_text(encoding="utf-8")
    assert main(["retrieval", "--dense-weight", "0.3", "--write"]) == 0
    assert "params.yaml stays as it is" in capsys.readouterr().out
    assert params.read_text(encoding="utf-8") == given

    params.write_text(given.replace("dense_weight: 0.3", "dense_weight: 1.0"), encoding="utf-8")
    assert main(["retrieval", "--dense-weight", "0", "--write"]) == 0
    assert "params.yaml has retrieval.dense_weight: 0 now" in capsys.readouterr().out
    assert load_settings(params).retrieval.dense_weight == 0
    assert params.read_text(encoding="utf-8") == given.replace("dense_weight: 0.3", "dense_weight: 0")


def test_the_other_way_to_mix_is_tried_and_written(indexed: Path, capsys: pytest.CaptureFixture[str]) -> None:
    params = indexed / "params.yaml"
    given = params.read_text(encoding="utf-8").replace("dense_weight: 0.3", "dense_weight: 1.0")
    params.write_text(given.replace("fusion: scores", "fusion: ranks"), encoding="utf-8")
    assert main(["retrieval", "--dense-weight", "0", "--fusion", "scores", "--write"]) == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert {line[-9] for line in lines if line[-2:] == ["in", "10"]} == {"scores", "ranks"}
    retrieval = load_settings(params).retrieval
    assert (retrieval.dense_weight, retrieval.fusion) == (0, "ranks")  # as good: the present way stays


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--write", "--split", "test"], "what is chosen by the test split no longer tests it"),
        (["--dense-weight", "much"], "--dense-weight 'much' is wrong; it should be a number from 0 to 1"),
        (["--dense-weight", "3"], "--dense-weight 3 is wrong; it should be a number from 0 to 1"),
        (["--chunk-words", "2"], "--chunk-words 2 is wrong; it should be a whole number from 8 to 2000"),
        (["--source", "mine"], "--source 'mine' is wrong; it should be one of test"),
        (["--split", "train"], "there is no index to ask yet; make it: threeply run --until index"),
    ],
)
def test_a_wrong_word_is_named(
    indexed: Path, words: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["retrieval", *words]) == (1 if words[0] == "--split" else 2)
    assert message in capsys.readouterr().err


def test_few_questions_choose_nothing(indexed: Path, capsys: pytest.CaptureFixture[str]) -> None:
    few = [default_asked("q", document="d1")]
    write_table(indexed / "data/splits/validation/examples.parquet", Example, few)
    assert main(["retrieval"]) == 1
    assert "has 1 questions whose passage is known, and 20 are the least" in capsys.readouterr().err


def test_only_a_sure_gain_is_advised() -> None:
    now, best = (Tried(**SHARES, ranked=Ranked(places=(1.0,), words=1.0)) for _ in range(2))
    said = {"questions": 40, "split": "validation"}
    assert (
        advice(now, now, Interval(mean=0.0, low=0.0, high=0.0), **said)
        == "None of the others shows more: keep what params.yaml has."
    )
    assert "may be chance" in advice(best, now, Interval(mean=0.05, low=-0.02, high=0.1), **said)
    sure = Interval(mean=0.2, low=0.1, high=0.3)
    assert advice(best, now, sure, **said).endswith("set it in params.yaml.")
    assert "flatters" in advice(best, now, sure, questions=40, split="test")
    longer = Tried(**SHARES | {"chunk_words": 64}, ranked=best.ranked)
    assert "index.chunk_words: 64" in advice(longer, now, sure, **said)
    ranks = Tried(**SHARES | {"fusion": "ranks"}, ranked=best.ranked)
    assert "With retrieval.dense_weight: 0.5 and retrieval.fusion: ranks retrieval" in advice(
        ranks, now, sure, **said
    )

"""Protects what the benchmarks say: tables that add up, differences found, sets that may be missing."""

import json
import sys
from pathlib import Path

import pytest

from benchmarks import chain, memory, reproducible, retrieval


def test_the_chain_is_told_stage_by_stage_and_as_json(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    timings = {"sft": {"seconds": 100.5, "peak_mib": 2000}, "base": {"seconds": 20.0, "peak_mib": 900}}
    (tmp_path / "stages.json").write_text(json.dumps(timings))
    monkeypatch.setattr(sys, "argv", ["chain", "--reports", str(tmp_path)])
    monkeypatch.setattr(chain, "rates_now", lambda: {"float32": 150.4, "bfloat16": 1320.0})
    assert chain.main() == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[:4]] == ["stage", "base", "sft", "all"]
    assert lines[4].startswith("matrix products now: 150 GFLOP/s in float32, 1,320 GFLOP/s in bfloat16, on ")
    told = json.loads(lines[-1])
    assert told["matrix_gflops_now"] == {"float32": 150.4, "bfloat16": 1320.0}
    assert (told["total_seconds"], told["peak_mib"], told["scores"]) == (120.5, 2000, None)


def test_without_a_run_the_chain_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["chain", "--reports", str(tmp_path)])
    assert chain.main() == 1
    assert "threeply run" in capsys.readouterr().err


def test_equal_folders_are_equal_and_the_first_different_file_is_named(tmp_path: Path) -> None:
    places = [tmp_path / "a", tmp_path / "b"]
    for place in places:
        (place / "data/index/sub").mkdir(parents=True)
        (place / "data/index/one").write_text("1")
        (place / "data/index/sub/two").write_text("2")
    same = reproducible.compare("data/index", places)
    assert not same.differs
    assert same.files == 2
    assert len(set(same.sha256)) == 1
    (places[1] / "data/index/sub/two").write_text("3")
    assert reproducible.compare("data/index", places).differs == "sub/two"
    (places[1] / "data/index/more").write_text("")
    assert reproducible.compare("data/index", places).differs == "more"


def test_ranks_count_documents_and_not_chunks() -> None:
    assert retrieval.rank(["a", "a", "b"], "b") == 1
    assert retrieval.rank(["a"], "b") == float("inf")


def write_faq(folder: Path, count: int) -> None:
    """A set of questions, each of which shares its words with one text alone."""
    rows = [
        {"question": f"How do I use frob{n}?", "answer": f"Call frob{n} with care.", "doc": f"faq{n}"}
        for n in range(count)
    ]
    (folder / "perlfaq_qa.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))


def test_a_set_that_is_not_there_is_skipped_in_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["retrieval", str(tmp_path)])
    assert retrieval.main() == 0
    said = capsys.readouterr()
    assert said.out == "{}\n"
    assert said.err.count("skipped") == 3


def test_a_small_set_is_measured_with_each_weight(
    tmp_path: Path,
    tiny_embedder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    write_faq(tmp_path, 12)
    words = ["retrieval", str(tmp_path), "--sets", "perlfaq", "--embedder", str(tiny_embedder)]
    monkeypatch.setattr(sys, "argv", words)
    assert retrieval.main() == 0
    told = json.loads(capsys.readouterr().out.splitlines()[-1])["perlfaq"]
    assert (told["questions"], told["documents"]) == (6, 12)
    assert set(told["by_weight"]) == {"0", "0.15", "0.3", "0.5", "0.7", "1"}
    assert told["by_weight"]["0"]["recall@1"]["mean"] == 1.0
    assert set(told["ways"]) == {"words alone", "embeddings alone", "the default", "tuned", "ranks"}


@pytest.mark.parametrize("name", retrieval.TRAINED)
def test_what_was_left_out_has_the_figures_of_the_search_without_it(
    name: str,
    tmp_path: Path,
    tiny_embedder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    write_faq(tmp_path, 62)
    words = ["retrieval", str(tmp_path), "--sets", "perlfaq", "--embedder", str(tiny_embedder), "--train"]
    monkeypatch.setattr(sys, "argv", [*words, name])
    assert retrieval.main() == 0
    said = capsys.readouterr().out
    found = json.loads(said.splitlines()[-1])["perlfaq"]["trained"][name]
    assert found["left_out"].startswith("the validation split has 11 questions of which")
    assert found["MRR"]["mean"] == 1.0  # words alone find every one
    assert found["over_tuned"]["mean"] == 0.0
    assert found["milliseconds"].keys() == {"with", "without"}
    assert f"{name} was left out: the validation split has 11" in said


def test_a_place_is_worth_less_the_later_it_comes() -> None:
    assert retrieval.gain(0) == 1.0
    assert retrieval.gain(1) == pytest.approx(0.6309, abs=1e-4)
    assert retrieval.gain(10) == retrieval.gain(float("inf")) == 0.0
    found = retrieval.figures([0, 1, float("inf"), 9], seed=1)
    assert found["recall@1"]["mean"] == 0.25
    assert found["recall@10"]["mean"] == 0.75
    assert found["MRR"]["mean"] == pytest.approx((1 + 0.5 + 0 + 0.1) / 4)


def test_the_page_on_memory_is_made_of_what_was_printed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    figures = {"trainable": 1000, "estimated_mib": 900, "measured_mib": 1000, "ratio": 0.9}
    for name, methods in (("a.log", {"lora": figures}), ("b.log", {"full": {**figures, "ratio": 1.05}})):
        told = json.dumps({"methods": methods, "length": 64, "worst": 0.1})
        (tmp_path / name).write_text(f"method  learn\n{told}\n")
    monkeypatch.setattr(memory, "PAGE", tmp_path / "memory.md")
    logs = [str(tmp_path / name) for name in ("a.log", "b.log")]
    monkeypatch.setattr(sys, "argv", ["memory", "--told", *logs])
    assert memory.main() == 0
    lines = (tmp_path / "memory.md").read_text(encoding="utf-8").splitlines()
    rows = [line for line in lines if line.startswith("| `")]
    assert rows == ["| `full` | 1,000 | 900 | 1,000 | 1.05 |", "| `lora` | 1,000 | 900 | 1,000 | 0.90 |"]
    assert any("rows of 64 tokens" in line for line in lines)
    assert lines[-3].startswith("The largest distance of a ratio from 1 is 0.10.")
    assert lines[-1] == memory.LONG_RUNS

"""Protects `threeply rows select`: a file that a run can read, what was left out is said, no traceback."""

import json
from pathlib import Path

import pytest

from benchmarks.models.families import write_tiny_model
from flows.cli import main
from tasks.prepare.collect_settings import FileSource
from tasks.rows.tables import write_rows
from tests.flows.terminal import shown
from tests.tasks.prepare.tracing.chain import lines, run_chain
from tests.tasks.rows.made import question, rows

FILE, OUT = Path("sources/faq.jsonl"), Path("sources/curated.jsonl")


@pytest.fixture
def asked(here: Path) -> Path:
    """A project with a file of 40 questions, of which two ask the same."""
    (here / "sources").mkdir()
    records = [
        {
            "id": n,
            "prompt": f"What about number {n} of the shelf?",
            "completion": " ".join(["yes", *map(str, range(n))]),
        }
        for n in range(39)
    ]
    (here / FILE).write_text(
        lines(
            *records, {"id": "again", "prompt": records[3]["prompt"], "completion": records[3]["completion"]}
        )
    )
    return here


def told(capsys: pytest.CaptureFixture[str], *words: str, code: int = 0) -> str:
    return shown(capsys, "rows", "select", *words, code=code)


def chosen(path: Path = OUT) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_the_longest_answers_of_a_file_become_a_source(
    asked: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said = told(capsys, str(FILE), "--by", "length", "--count", "5")
    assert [row["id"] for row in chosen()] == ["34", "35", "36", "37", "38"]
    assert all(row["chosen_by"] == "length" for row in chosen())
    assert "1 rows are left out as collect and clean would" in said
    assert f"{OUT} has 5 of 39 rows, chosen by length" in said
    assert "words of the answer, median" in said
    run_chain(asked, [FileSource(kind="file", path=OUT)], until="clean")


def test_the_clean_rows_of_the_last_run_are_taken_without_a_file(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_rows(here / "data/clean/rows", rows(question("a"), question("b", held_out="own")))
    said = told(capsys, "--by", "random")
    assert [row["id"] for row in chosen()] == ["a"]
    assert "fewer than the 1,000 asked for" in said
    assert "not to be chosen: 1 rows, held out" in said


def test_the_control_is_the_same_under_one_seed(asked: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name, seed in (("a", "1"), ("b", "1"), ("c", "2")):
        told(capsys, str(FILE), "--by", "random", "--count", "9", "--seed", seed, "--out", f"{name}.jsonl")
    one, same, other = (chosen(Path(f"{name}.jsonl")) for name in "abc")
    assert one == same != other


def test_coverage_asks_the_embedder(
    asked: Path, tiny_embedder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (asked / "data/models").mkdir(parents=True)
    (asked / "data/models/embedder").symlink_to(tiny_embedder)
    told(capsys, str(FILE), "--by", "coverage", "--count", "4", "--keep-lengths")
    assert len(chosen()) == 4
    assert max(float(str(row["chosen_for"])) for row in chosen()) == 2.0


def test_what_is_asked_in_other_words_is_left_out_and_told(
    asked: Path, tiny_embedder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (asked / "data/models").mkdir(parents=True)
    (asked / "data/models/embedder").symlink_to(tiny_embedder)
    same = [question(name, f"{said} my key?", "Yes.") for name, said in (("a", "Where is"), ("b", "Where's"))]
    write_rows(asked / "data/clean/rows", rows(*same, question("c", "Where is my key?", "No.")))
    said = told(capsys, "--by", "random", "--apart", "0.0001")
    assert [row["id"] for row in chosen()] == ["a", "c"]
    assert (
        "1 rows, ask in other words what an earlier one asks (sources/curated.left_out.jsonl has them)"
        in said
    )
    [left_out] = chosen(Path("sources/curated.left_out.jsonl"))
    assert (left_out["id"], left_out["reason"]) == ("b", "semantic_duplicate")
    assert str(left_out["detail"]).startswith("of a, 0.") or left_out["detail"] == "of a, 1.00"


def test_difficulty_asks_the_base_model(asked: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_tiny_model(asked / "data/models/base", "llama")
    said = told(capsys, str(FILE), "--count", "4", "--pool", "20")
    assert 0 < len(chosen()) <= 4
    assert all(0.0 < float(str(row["chosen_for"])) <= 1.0 for row in chosen())
    assert "not to be chosen: 19 rows, not drawn into the pool" in said


@pytest.mark.parametrize(
    ("words", "fault"),
    [
        (["--count", "0"], "--count 0 is wrong"),
        (["--pool", "-3"], "--pool -3 is wrong"),
        (["--out", "curated.csv"], "should end in .jsonl"),
        (["--out", str(FILE)], "is the file to choose from"),
        (["--by", "difficulty"], "data/models/base is not there"),
        (["--by", "coverage"], "data/models/embedder is not there"),
        (["--by", "length", "--apart", "0.8"], "data/models/embedder is not there"),
        (["--apart", "1.2"], "--apart 1.2 is wrong"),
    ],
)
def test_a_mistake_is_told_and_nothing_is_written(
    asked: Path, capsys: pytest.CaptureFixture[str], words: list[str], fault: str
) -> None:
    before = (asked / FILE).read_bytes()
    assert main(["rows", "select", str(FILE), *words]) != 0
    assert fault in capsys.readouterr().err
    assert not (asked / OUT).exists()
    assert (asked / FILE).read_bytes() == before


def test_without_a_run_or_rows_it_says_what_to_do(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rows", "select", "--by", "random"]) != 0
    assert "run the stage before this one" in capsys.readouterr().err
    write_rows(here / "data/clean/rows", rows(question("b", held_out="own")))
    assert main(["rows", "select", "--by", "random"]) != 0
    assert "1 are held out" in capsys.readouterr().err

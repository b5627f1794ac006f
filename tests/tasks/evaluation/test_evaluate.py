"""Protects the stage as a whole: tiny model and store in, ledger, answers and row accounting out."""

import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from deploy.atomic import write_json
from deploy.messages import Message
from tasks.errors import SourceError
from tasks.evaluation.answers import read_answers
from tasks.evaluation.evaluate import evaluate
from tasks.evaluation.ledger import (
    FOLLOW_UPS,
    LIKE_TRAINING,
    NAMES,
    HeldOut,
    Ledger,
    read_ledger,
    subset_sizes,
)
from tasks.evaluation.markdown import ledger_markdown
from tasks.evaluation.measuring import Served
from tasks.evaluation.settings import EvaluateSettings
from tasks.rows.held_out import fingerprint
from tasks.rows.records import Example
from tasks.rows.reports import read_report, unbalanced
from tasks.rows.skipped import skip
from tasks.rows.tables import read_table, write_table
from tasks.scoring.scores import Interval
from tests.conftest import small_settings, write_tiny_index


@pytest.fixture(scope="module")
def inputs(tiny_chain: list[Path], tiny_adapters: dict[str, Path]) -> dict[str, Path]:
    return dict(zip(("splits", "base", "embedder", "knowledge"), tiny_chain, strict=True)) | tiny_adapters


def run(
    inputs: dict[str, Path],
    out: Path,
    *,
    few_shot: int = 2,
    tokens: int = 4,
    rlhf_questions: int = 0,
    **thresholds: float,
) -> Ledger:
    values = small_settings(generation={"max_new_tokens": tokens})
    rules = {name: {"threshold": at, "coverage_weight": 0.0} for name, at in thresholds.items()}
    write_json(out / "calibration.json", rules)
    evaluate(
        **inputs,
        thresholds=out / "calibration.json",
        ledger=out / "ledger.json",
        answers=out / "answers.jsonl",
        report=out / "evaluate.json",
        run=values.run,
        retrieval=values.retrieval,
        prompt=values.prompt,
        generation=values.generation,
        settings=EvaluateSettings(
            questions=6,
            rlhf_questions=rlhf_questions,
            batch_size=4,
            bootstrap=100,
            latency_requests=1,
            base_max_new_tokens=4,
            parity_answers=4,
            few_shot=few_shot,
        ),
    )
    return read_ledger(out / "ledger.json")


def test_a_model_abstains_from_its_threshold_on(inputs: dict[str, Path], tmp_path: Path) -> None:
    ledger = run(inputs, tmp_path, few_shot=0, tokens=12, sft=0.0, rlhf=1.0)
    assert (ledger.arms["sft"].abstention, ledger.arms["sft"].false_abstention) == (1.0, 1.0)
    assert ledger.arms["rlhf"].false_abstention == 0.0


@pytest.fixture(scope="module")
def measured(inputs: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("measured")
    run(inputs, folder)
    return folder


def test_the_stage_writes_a_whole_ledger(measured: Path) -> None:
    ledger = read_ledger(measured / "ledger.json")
    assert list(ledger.arms) == list(NAMES)
    assert ledger.questions == 6
    assert ledger.unanswerable == 2
    assert ledger.recall is not None
    assert ledger.majority_answer == "`1.0`"
    assert ledger.majority == pytest.approx(4 / 6, abs=1e-4)
    base = ledger.arms["base"].retention
    assert base == ledger.arms["prompt"].retention == ledger.arms["few_shot"].retention == 1.0
    assert ledger.arms["rule"].retention is None
    assert ledger.arms["rule"].score == 1.0  # the rows are made for it
    assert ledger.arms["rlhf"].over_rule is not None
    assert ledger.arms["rlhf"].over_rule.verdict == "does not help"
    assert ledger.arms["rule"].subsets == {}
    assert (ledger.counts, ledger.recalls, ledger.versions) == ((), {}, {})
    assert ledger.wording is not None
    assert (ledger.wording.arm, ledger.wording.n) == ("rlhf", 2)
    assert ledger.wording.literalness == 0.25  # of default, C, svm and SVC1 only C stands there
    assert ledger.arms["sft"].retention == ledger.arms["sft_closed_book"].retention != 1.0
    moved = {name: arm.divergence for name, arm in ledger.arms.items()}
    assert moved["rule"] is None
    assert moved["base"] == moved["few_shot"] == Interval(mean=0.0, low=0.0, high=0.0)
    assert moved["sft"] is not None
    assert 0.0 < moved["sft"].low < moved["sft"].mean < moved["sft"].high
    answers = read_answers(measured / "answers.jsonl")
    assert [list(answer.arms) for answer in answers] == [list(NAMES)] * 6
    report = read_report(measured / "evaluate.json")
    assert unbalanced(report.rows) == []
    assert report.figures["questions"] == {"default": 4, "withheld": 2}
    assert sum(report.figures["examples"].values()) == 12


def test_rlhf_is_judged_by_more_questions_which_the_rows_do_not_see(
    inputs: dict[str, Path], measured: Path, tmp_path: Path
) -> None:
    before, ledger = read_ledger(measured / "ledger.json"), run(inputs, tmp_path, rlhf_questions=9)
    found = {name: arm.difference.n for name, arm in ledger.arms.items() if arm.difference is not None}
    assert found == {name: 9 if name == "rlhf" else 6 for name in found}
    assert [arm.score for arm in ledger.arms.values()] == [arm.score for arm in before.arms.values()]
    assert len(read_answers(tmp_path / "answers.jsonl")) == 6
    rows = read_report(tmp_path / "evaluate.json").rows
    assert unbalanced(rows) == []
    assert [row.count for row in rows if row.outcome == "kept"] == [9]
    assert ", over 9 questions)" in ledger_markdown(ledger)


def test_questions_that_are_too_long_are_drawn_and_counted_once(
    inputs: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def tokens(_: Served, messages: Sequence[Message]) -> int:
        return 10_000 if "SVC3" in messages[-1].content else 10

    monkeypatch.setattr(Served, "tokens", tokens)
    run(inputs, tmp_path, few_shot=0, rlhf_questions=12)
    rows = read_report(tmp_path / "evaluate.json").rows
    assert unbalanced(rows) == []
    assert all(row.count >= 0 for row in rows)
    assert any("longer" in row.reason and row.count > 0 for row in rows)


def test_a_layer_that_was_left_out_has_no_row_and_a_reason(inputs: dict[str, Path], tmp_path: Path) -> None:
    left_out = tmp_path / "rlhf"
    places = {"adapter": left_out, "curve": tmp_path / "curve.csv", "report": tmp_path / "rlhf.json"}
    skip("rlhf", "no pairs", kind="example", entered=0, **places)
    ledger = run({**inputs, "rlhf": left_out}, tmp_path, few_shot=0)
    assert list(ledger.arms) == [name for name in NAMES if name not in ("rlhf", "few_shot")]
    assert ledger.skipped == {"rlhf": "no pairs", "few_shot": "evaluate.few_shot is 0"}
    assert ledger.arms["sft"].over_rule is not None
    assert "- RLHF was skipped: no pairs." in ledger_markdown(ledger).splitlines()


def test_a_test_set_of_the_users_own_is_asked_whole_and_makes_the_figures(
    inputs: dict[str, Path], tmp_path: Path
) -> None:
    rows = read_table(inputs["splits"] / "test" / "examples.parquet", Example)
    # Another answer than that of the training rows, which the rule cannot copy either.
    told = (*rows[1].prompt, Message("assistant", "`7`"))
    mine = [replace(row, messages=told, evidence=(), held_out=FOLLOW_UPS) for row in rows[:2]]
    assert [row.answerable for row in mine] == [False, True]
    write_table(tmp_path / "splits/test/examples.parquet", Example, [*mine, *rows[2:]])
    write_table(tmp_path / "splits/train/examples.parquet", Example, rows[2:])
    # These splits have no documents: nothing is said of the wording where the user has a test set.
    ledger = run({**inputs, "splits": tmp_path / "splits"}, tmp_path)
    own = "follow-ups (held out)"
    assert ledger.counts == (own,)
    assert subset_sizes(ledger) == {own: 2, LIKE_TRAINING: 6}
    assert (ledger.questions, ledger.unanswerable, ledger.majority, ledger.recall) == (2, 1, 0.0, None)
    assert {arm.n for arm in ledger.arms.values()} == {2}
    rule = ledger.arms["rule"]
    assert (rule.score, rule.subsets[own].score, rule.subsets[LIKE_TRAINING].score) == (0.0, 0.0, 1.0)
    assert list(ledger.recalls) == [LIKE_TRAINING]
    assert ledger.versions == {own: HeldOut(questions=2, version=fingerprint(mine))}
    assert ledger.wording is None
    assert unbalanced(read_report(tmp_path / "evaluate.json").rows) == []
    text = ledger_markdown(ledger)
    assert "|  | follow-ups (held out) | like training |" in text
    assert "| passage found | \u2013 |" in text
    assert f"- {own}: 2 questions, version {fingerprint(mine)}." in text


def test_what_the_sources_hold_out_is_a_subset_and_does_not_count_more(
    inputs: dict[str, Path], tmp_path: Path
) -> None:
    shutil.copytree(inputs["splits"], tmp_path / "splits")
    path = tmp_path / "splits/test/examples.parquet"
    rows = read_table(path, Example)
    made = [replace(row, source="packages", held_out="unseen wording") for row in rows[:8]]
    write_table(path, Example, [*made, *rows[8:]])
    ledger = run({**inputs, "splits": tmp_path / "splits"}, tmp_path)
    assert subset_sizes(ledger) == {LIKE_TRAINING: 3, "unseen wording": 3}
    assert (ledger.counts, ledger.questions) == ((), 6)
    assert list(ledger.versions.values()) == [HeldOut(questions=8, version=fingerprint(made))]  # asked or not
    assert set(ledger.recalls) == {LIKE_TRAINING, "unseen wording"}
    assert ledger.wording is not None


def test_a_rule_that_finds_no_passage_has_no_row(
    inputs: dict[str, Path], tiny_embedder: Path, tmp_path: Path
) -> None:
    empty = write_tiny_index(tmp_path / "index", tiny_embedder, {})
    ledger = run({**inputs, "knowledge": empty}, tmp_path)
    assert "rule" not in ledger.arms
    assert ledger.skipped == {"rule": "retrieval finds no passage that it could copy from"}
    assert ledger.arms["sft"].over_rule is None


def test_all_but_the_clock_repeats(inputs: dict[str, Path], measured: Path, tmp_path: Path) -> None:
    again, before = run(inputs, tmp_path), read_ledger(measured / "ledger.json")
    for name in ("answers.jsonl", "evaluate.json"):
        assert (tmp_path / name).read_bytes() == (measured / name).read_bytes()
    assert [arm.score for arm in again.arms.values()] == [arm.score for arm in before.arms.values()]


def test_an_empty_test_split_is_refused_in_words(inputs: dict[str, Path], tmp_path: Path) -> None:
    for split in ("train", "test"):
        write_table(tmp_path / "splits" / split / "examples.parquet", Example, [])
    with pytest.raises(SourceError, match=r"has 0 examples and none can be asked.*split\.test"):
        run({**inputs, "splits": tmp_path / "splits"}, tmp_path)

"""Protects the figures of a loaded server: what clients got, what was refused, and the ratio of two."""

import asyncio
import statistics
import time
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.serving.__main__ import asked, table
from benchmarks.serving.beside import Pace, beside_table
from benchmarks.serving.load import Load, measured
from benchmarks.serving.overhead import PARTS, overhead, overhead_table
from deploy.errors import ThreeplyError
from tests.deploy.engines.scripted import ScriptedEngine
from tests.deploy.server.conftest import QUESTION, running

TALKS = [[{"role": "user", "content": QUESTION}]]


def test_answers_tokens_and_times_are_counted() -> None:
    engine = ScriptedEngine({QUESTION: "one two three"}, before_word=lambda _: time.sleep(0.01))
    with running(engine) as address:
        load = asyncio.run(measured(address, TALKS, 2, 0.5, "sft"))
    assert load.answers >= 2
    assert load.tokens == 3 * load.answers
    assert load.refused == {}
    assert 0.0 < load.first_text < load.whole
    assert load.a_second == pytest.approx(load.answers / load.seconds)
    assert load.an_answer > 0.0


def test_refusals_are_counted_by_their_status() -> None:
    engine = ScriptedEngine({QUESTION: "word " * 20}, before_word=lambda _: time.sleep(0.05))
    with running(engine, max_concurrency=1) as address:
        load = asyncio.run(measured(address, TALKS, 3, 0.3, "sft"))
    assert load.refused["503"] >= 1
    assert load.answers >= 1


def test_two_servers_are_compared_by_their_answers_a_second() -> None:
    now = Load(
        clients=4, seconds=10.0, answers=30, tokens=300, refused={"503": 2}, first_text=0.4, whole=2.0,
        processor=12.0,
    )  # fmt: skip
    lines = table({"now": [now], "before": [replace(now, answers=10, refused={}, processor=10.0)]})
    assert lines[-1] == (
        "4 clients: 3.00 times the answers a second of before, an answer at 0.40 times the processor time"
    )
    assert "2 x 503" in lines[1]


def test_the_pace_of_a_training_is_read_from_what_it_prints() -> None:
    pace = Pace()
    pace.follow(iter(["progress 12/800 rows, 3m left, loss 2.1\n", "epoch 1\n", "progress 24/800 rows\n"]))
    assert [done for _, done in pace.steps] == [12, 24]
    pace.steps = [(1.0, 12), (3.0, 24), (9.0, 48)]
    assert pace.between(2.0, 8.0) == 2.0
    assert pace.between(0.0, 2.0) == 6.0
    assert pace.between(3.5, 8.5) == 0.0


def test_a_line_tells_what_a_client_got_and_what_a_training_did() -> None:
    load = Load(
        clients=1, seconds=10.0, answers=20, tokens=300, refused={}, first_text=0.25, whole=0.5, processor=9.0
    )
    lines = beside_table([("alone", load, None), ("beside", load, 0.0)])
    assert lines[1].split() == ["alone", "2.00", "0.25", "s", "0.50", "s", "\u2013"]
    assert lines[2].split()[-1] == "0.00"
    assert beside_table([("a training alone", None, 2.5)])[1].split()[-4:] == ["\u2013"] * 3 + ["2.50"]


def test_without_questions_the_next_step_is_named(tmp_path: Path) -> None:
    with pytest.raises(ThreeplyError, match="run threeply run --until split first"):
        asked(tmp_path / "none.parquet")


def test_the_parts_of_a_request_add_up_and_the_slow_one_is_told_apart() -> None:
    engine = ScriptedEngine({QUESTION: "one"}, before_word=lambda _: time.sleep(0.05))
    with running(engine) as address:
        parts = overhead(address, TALKS, "sft", count=4)
    assert {len(took) for took in parts.values()} == {4}
    whole, *others = (statistics.median(parts[part]) for part in PARTS)
    assert sum(others) == pytest.approx(whole, rel=0.5)
    assert min(parts["model"]) >= 50.0
    assert min(parts["around"]) > 0.0
    _, *lines = overhead_table(parts)
    assert [line.split()[0] for line in lines] == list(PARTS)
    with pytest.raises(ThreeplyError, match="answered 404"), running(engine) as address:
        overhead(address, TALKS, "none", count=1)

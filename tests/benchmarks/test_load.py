"""Protects the figures of a flooded server: what is honest is told apart from what should not be."""

import asyncio
import time
from typing import Any

import pytest

from benchmarks.load import flooded, half_open
from tests.deploy.engines.scripted import ScriptedEngine
from tests.deploy.server.conftest import QUESTION, running

BODIES: list[dict[str, Any]] = [{"messages": [{"role": "user", "content": QUESTION}]}]


def test_answers_and_honest_refusals_are_counted() -> None:
    engine = ScriptedEngine({QUESTION: "one two three"}, before_word=lambda _: time.sleep(0.3))
    with running(engine, max_concurrency=4) as address:
        course = asyncio.run(flooded(address, BODIES, 12, 1.5))
    assert course.answers >= 2
    assert course.differ == 0
    assert course.refused[503] >= 1
    assert not course.wrong
    assert 0.0 < course.memory_before <= course.memory_most


def test_a_client_that_leaves_is_no_failure() -> None:
    engine = ScriptedEngine({QUESTION: "one two three"}, before_word=lambda _: time.sleep(0.3))
    with running(engine) as address:
        course = asyncio.run(flooded(address, BODIES, 1, 0.2))  # the first of ten leaves
    assert (course.left, course.answers) == (1, 0)
    assert not course.wrong


def test_another_answer_and_another_status_are_seen() -> None:
    said: list[str] = []

    def change(word: str) -> None:
        said.append(word)
        if len(said) > 6:
            raise RuntimeError

    engine = ScriptedEngine({QUESTION: "one two three"}, before_word=change)
    with running(engine) as address:
        course = asyncio.run(flooded(address, BODIES, 2, 0.5))
    assert course.wrong["500"] >= 1


def test_half_requests_are_counted_until_they_are_closed() -> None:
    with running(ScriptedEngine({}), read_seconds=0.5) as address:
        seconds, left = asyncio.run(half_open(address, 5, 20.0))
        assert left == 0
        assert seconds == pytest.approx(0.5, abs=15.0)
    with running(ScriptedEngine({}), read_seconds=60) as address:
        assert asyncio.run(half_open(address, 5, 0.2))[1] == 5

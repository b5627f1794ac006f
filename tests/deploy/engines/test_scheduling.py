"""Protects those who ask at once: each gets what it gets alone, and nobody waits for one who left."""

import gc
import threading
import weakref
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from benchmarks.models.families import FAMILIES
from deploy.engines import prefill, scheduling
from deploy.engines.engine import Generation, Sampling
from deploy.engines.local import TransformersEngine
from deploy.engines.scheduling import Scheduler
from deploy.messages import Message
from tests.conftest import write_tiny_model
from tests.deploy.engines.at_once import SAMPLING, SYSTEM, TEXTS, at_once, question, talk
from tests.deploy.engines.forwards import tokens_of
from tests.waiting import wait_until

MOST = 3


@pytest.fixture(autouse=True)
def _in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """Prompts are read in pieces of seven tokens."""
    plain = Scheduler.__init__
    monkeypatch.setattr(
        Scheduler,
        "__init__",
        lambda self, *args, **named: plain(self, *args, **{**named, "piece": 7}),
    )


# Each has something of its own in how it knows places or keeps what it has read.
@pytest.mark.parametrize("family", ["llama", "gpt2", "gpt_neox", "mistral", "gemma2", "mixtral"])
def test_rows_that_come_and_go_say_what_they_say_alone(
    family: str, tmp_path: Path, asked: list[str], widths: list[int]
) -> None:
    engine = TransformersEngine(write_tiny_model(tmp_path, family), {}, most_rows=MOST)
    lengths = [30, 44, 27, 1, 38, 42]
    samplings = [replace(SAMPLING, max_new_tokens=length) for length in lengths]
    samplings[1] = replace(samplings[1], temperature=1.0, seed=7)
    alone = [
        engine.generate([talk(text)], model="base", sampling=sampling)[0]
        for text, sampling in zip(TEXTS, samplings, strict=True)
    ]
    questions = [question(text, sampling=sampling) for text, sampling in zip(TEXTS, samplings, strict=True)]
    with at_once(engine, asked, questions) as waiting:
        found = [each.result() for each in waiting]
    assert [pieces[-1].end for pieces in found] == alone
    assert ["".join(piece.text for piece in pieces) for pieces in found] == [each.text for each in alone]
    if FAMILIES[family].get("sliding_window") is None:
        assert max(widths) == MOST


@pytest.fixture
def engine(tiny_base: Path, tiny_adapters: dict[str, Path], asked: list[str]) -> TransformersEngine:
    return TransformersEngine(tiny_base, tiny_adapters, most_rows=2)


def test_a_model_that_is_asked_for_is_not_overtaken_for_ever(
    engine: TransformersEngine, asked: list[str]
) -> None:
    models = ["sft", "sft", "rlhf", *["sft"] * 6]
    order: list[str] = []
    with at_once(
        engine,
        asked,
        [question(TEXTS[at % 6], model) for at, model in enumerate(models)],
    ) as waiting:
        for at, each in enumerate(waiting):
            each.add_done_callback(lambda _, at=at: order.append(models[at]))
        found = [each.result()[-1].end for each in waiting]
    assert order.index("rlhf") < len(order) - 2
    alone: list[Generation] = [
        engine.generate([talk(TEXTS[at % 6])], model=model, sampling=SAMPLING)[0]
        for at, model in enumerate(models)
    ]
    assert found == alone


def test_who_has_left_costs_no_further_piece_and_the_others_go_on(
    engine: TransformersEngine, asked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    read: dict[int, int] = {}
    plain = prefill.reading

    def counted(model: Any, prompt: list[int], *args: Any, **named: Any) -> Any:
        steps = plain(model, prompt, *args, **named)
        while True:
            read[len(prompt)] = read.get(len(prompt), 0) + 1
            try:
                yield next(steps)
            except StopIteration as ended:
                return ended.value

    monkeypatch.setattr(prefill, "reading", counted)
    looks = iter([False, False, True])
    with at_once(
        engine,
        asked,
        [
            question("kernel?"),
            question("a b " * 60, gone=lambda: next(looks, True)),
            question("gone before it was read " * 9, gone=lambda: True),
        ],
    ) as waiting:
        first, left, never_read = [each.result() for each in waiting]
    assert first[-1].end == engine.generate([talk("kernel?")], model="base", sampling=SAMPLING)[0]
    assert left == never_read == []
    assert len(read) == 2
    assert read[max(read)] <= 3


def test_a_stream_that_is_closed_in_the_middle_lets_the_others_end(
    engine: TransformersEngine, asked: list[str]
) -> None:
    expected = engine.generate([talk("gamma")], model="base", sampling=SAMPLING)[0]
    with at_once(engine, asked, [question("gamma")]) as waiting:
        stream = engine.stream(**question(TEXTS[2], sampling=Sampling(max_new_tokens=300)))
        next(stream)
        stream.close()  # type: ignore[attr-defined]
        assert waiting[0].result()[-1].end == expected


def test_an_engine_that_is_dropped_takes_its_thread_along(
    tiny_base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scheduling, "_IDLE_SECONDS", 0.05)
    before = set(threading.enumerate())
    engine = TransformersEngine(tiny_base, {})
    for _ in range(2):
        list(engine.stream(**question("gamma")))
    [thread] = [each for each in set(threading.enumerate()) - before if each.name == "decoding"]
    known = weakref.ref(engine)
    del engine
    gc.collect()
    wait_until(lambda: not thread.is_alive())
    assert known() is None


def test_what_goes_wrong_is_told_to_those_it_concerns_and_the_next_is_answered(
    engine: TransformersEngine, asked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from deploy.engines.slots import Slots

    plain = Slots.step
    faults = iter([RuntimeError("no memory")])

    def step(self: Slots, *args: Any) -> Any:
        for fault in faults:
            raise fault
        return plain(self, *args)

    monkeypatch.setattr(Slots, "step", step)
    with at_once(engine, asked, [question("kernel?"), question("gamma")]) as waiting:
        told = [str(each.exception()) for each in waiting]
    assert "no memory" in told
    end = list(engine.stream(**question("tol")))[-1].end
    assert end == engine.generate([talk("tol")], model="base", sampling=SAMPLING)[0]


@pytest.mark.parametrize("model", ["base", "sft"])
def test_a_system_turn_is_read_once_and_what_follows_it_each_time(
    tiny_base: Path, tiny_adapters: dict[str, Path], monkeypatch: pytest.MonkeyPatch, model: str
) -> None:
    read: list[int] = []
    engine = TransformersEngine(tiny_base, tiny_adapters)
    plain = type(engine._model).forward

    def forward(self: Any, *args: Any, **named: Any) -> Any:
        read.append(tokens_of(named))
        return plain(self, *args, **named)

    expected = [engine.generate([[SYSTEM, *talk(text)]], model=model, sampling=SAMPLING)[0] for text in TEXTS]
    monkeypatch.setattr(type(engine._model), "forward", forward)
    found, lengths = [], []
    for text in TEXTS:
        read.clear()
        found.append(list(engine.stream([SYSTEM, *talk(text)], model=model, sampling=SAMPLING))[-1].end)
        lengths.append(sum(length for length in read if length > 1))
    assert found == expected
    whole = [each.prompt_tokens for each in expected]
    assert lengths[0] == whole[0]
    heads = {all_of - read_now for all_of, read_now in zip(whole[1:], lengths[1:], strict=True)}
    assert len(heads) == 1
    assert heads.pop() > len("Answer from the sources only") // 4


def test_only_a_few_heads_are_kept_and_none_of_a_question(tiny_base: Path) -> None:
    engine = TransformersEngine(tiny_base, {})
    for number in range(9):
        turn = Message("system", f"{number} Answer from the sources only, in one short sentence.")
        list(engine.stream([turn, *talk("kernel? " * 30)], model="base", sampling=SAMPLING))
    kept = engine._scheduler._prefill._heads._kept
    assert len(kept) == 4
    assert all("kernel" not in engine._tokenizer.decode(tokens) for _, tokens in kept)

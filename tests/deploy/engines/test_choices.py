"""Protects several answers to one question: each as if it were asked alone, and the prompt read once."""

from pathlib import Path
from typing import Any

import pytest

from deploy.engines.abstaining import Abstaining
from deploy.engines.choosing import seed_of
from deploy.engines.engine import Generation, Piece, Sampling
from deploy.engines.local import TransformersEngine
from deploy.messages import Message
from tests.conftest import write_tiny_model
from tests.deploy.engines.forwards import tokens_of
from tests.waiting import wait_until

TALK = [Message("system", "Answer from the sources only."), Message("user", "What is `tol`? " * 5)]
DRAWN = Sampling(max_new_tokens=16, temperature=1.2, seed=11)


def ends(pieces: list[Piece]) -> list[Generation]:
    """The whole choices in their order."""
    found = {piece.choice: piece.end for piece in pieces if piece.end is not None}
    return [end for _, end in sorted(found.items()) if end is not None]


def alone(engine: TransformersEngine, choice: int, model: str = "base") -> Generation:
    sampling = Sampling(max_new_tokens=16, temperature=1.2, seed=seed_of(choice, 11))
    [answer] = engine.generate([TALK], model=model, sampling=sampling)
    return answer


@pytest.mark.parametrize("most_rows", [1, 2, 8])
@pytest.mark.parametrize("model", ["base", "sft"])
def test_each_is_what_it_is_alone_however_many_find_room(
    tiny_base: Path, tiny_adapters: dict[str, Path], model: str, most_rows: int
) -> None:
    engine = TransformersEngine(tiny_base, tiny_adapters, most_rows=most_rows)
    pieces = list(engine.stream(TALK, model=model, sampling=DRAWN, choices=3))
    found = ends(pieces)
    assert found == [alone(engine, choice, model) for choice in range(3)]
    assert len({each.text for each in found}) == 3
    for choice, end in enumerate(found):
        assert "".join(piece.text for piece in pieces if piece.choice == choice) == end.text
    assert ends(list(engine.stream(TALK, model=model, sampling=DRAWN, choices=3))) == found


@pytest.mark.parametrize(("family", "times"), [("llama", 1), ("mistral", 3)])
def test_the_prompt_is_read_once_where_rows_share_a_batch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, family: str, times: int
) -> None:
    engine = TransformersEngine(write_tiny_model(tmp_path, family), {}, most_rows=2)
    read: list[int] = []
    plain = type(engine._model).forward

    def forward(self: Any, *args: Any, **named: Any) -> Any:
        read.append(tokens_of(named))
        return plain(self, *args, **named)

    monkeypatch.setattr(type(engine._model), "forward", forward)
    found = ends(list(engine.stream(TALK, model="base", sampling=DRAWN, choices=3)))
    assert sum(length for length in read if length > 1) == times * found[0].prompt_tokens
    assert len(found) == 3


@pytest.mark.parametrize("threshold", [0.0, 0.02, 1.0])
def test_the_gate_weighs_each_of_them(tiny_base: Path, threshold: float) -> None:
    rule = {"base": Abstaining(threshold=threshold)}
    engine = TransformersEngine(tiny_base, {}, abstention=rule, most_rows=2)
    found = ends(list(engine.stream(TALK, model="base", sampling=DRAWN, choices=3)))
    assert found == [alone(engine, choice) for choice in range(3)]


def test_a_schema_is_followed_by_each_of_them(tiny_base: Path) -> None:
    engine = TransformersEngine(tiny_base, {})
    sampling = Sampling(max_new_tokens=30, temperature=1.0, seed=2, schema='{"enum": ["ab", "cd", "ef"]}')
    found = ends(list(engine.stream(TALK, model="base", sampling=sampling, choices=4)))
    assert {each.text for each in found} <= {'"ab"', '"cd"', '"ef"'}


def test_who_leaves_leaves_with_all_of_them(tiny_base: Path) -> None:
    engine = TransformersEngine(tiny_base, {}, most_rows=2)
    stream = engine.stream(TALK, model="base", sampling=Sampling(max_new_tokens=300), choices=4)
    next(stream)
    stream.close()  # type: ignore[attr-defined]
    wait_until(lambda: not engine._scheduler._waiting and not engine._lock.locked())
    assert ends(list(engine.stream(TALK, model="base", sampling=DRAWN))) == [alone(engine, 0)]


def test_the_first_seed_is_that_of_all_and_no_other_is_a_neighbours() -> None:
    assert [seed_of(0, seed) for seed in (None, 5, -3)] == [None, 5, -3]
    assert seed_of(3, None) is None
    made = {seed_of(choice, seed) for seed in range(-20, 20) for choice in range(8)}
    assert len(made) == 40 * 8
    assert seed_of(1, 5) == seed_of(1, 5)


def test_they_go_on_together(tiny_base: Path, widths: list[int]) -> None:
    engine = TransformersEngine(tiny_base, {})
    found = ends(list(engine.stream(TALK, model="base", sampling=DRAWN, choices=4)))
    assert max(widths) == 4
    assert len(widths) < max(each.completion_tokens for each in found) + 1

"""Questions that wait for an engine together, so that it begins with all of them."""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

from deploy.engines.engine import Piece, Sampling
from deploy.engines.local import TransformersEngine
from deploy.messages import Message
from tests.waiting import wait_until

TEXTS = ["kernel?", "tol=0.001 " * 9, "In `svm.SVC`, what is the default of `C`?", "gamma", "a b " * 25, "?"]
SAMPLING = Sampling(max_new_tokens=12)
SYSTEM = Message("system", "Answer from the sources only, in one short sentence.")


def talk(text: str) -> list[Message]:
    """A conversation of one question."""
    return [Message("user", text)]


def question(text: str, model: str = "base", **named: Any) -> dict[str, Any]:
    """What a stream is asked with."""
    return {"prompt": talk(text), "model": model, "sampling": SAMPLING, **named}


@contextmanager
def at_once(
    engine: TransformersEngine, asked: list[str], questions: list[dict[str, Any]]
) -> Iterator[list["Future[list[Piece]]"]]:
    """Streams of all `questions`, none of which is begun before all are there.

    `asked` is what the fixture of that name gives: it grows with each of them.
    """
    before = len(asked)
    with ThreadPoolExecutor(len(questions)) as pool:
        with engine.held("base"):
            waiting = []
            for number, question in enumerate(questions, start=1):
                waiting.append(pool.submit(lambda given: list(engine.stream(**given)), question))
                wait_until(lambda number=number: len(asked) == before + number)
        yield waiting

"""Asks the assistant from an event loop: in worker threads, a bounded number at a time, and cancellable."""

import asyncio
import math
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from deploy.answer import Answer
from deploy.assistant import Assistant
from deploy.engines.engine import Piece
from deploy.server.faults import RequestError
from deploy.server.requests import ChatRequest

Said = Piece | Answer
_Item = Said | Exception | None  # None ends the answers to a question
_LOOK_SECONDS = 0.2  # how often a waiting request looks whether its client is still there


class Asking:
    """The way from requests to an assistant.

    `places` answers may be in the making or waiting at once, each for at most `seconds`: a request for
    several takes as many places.
    """

    def __init__(self, *, places: int, seconds: float = math.inf) -> None:
        self._most = self._free = places
        self._taking = threading.Lock()
        self._seconds = seconds
        self._end = math.inf  # by the loop's clock: when what is still under way is given up
        self._threads = ThreadPoolExecutor(max_workers=places, thread_name_prefix="asking")

    async def ask(
        self, questions: Sequence[ChatRequest], assistant: Assistant, *, gone: Callable[[], Awaitable[bool]]
    ) -> AsyncIterator[Said]:
        """The pieces of each answer, then the `Answer`; ends early once `gone` says the client left.

        The choices of the first question come first in the count, then those of the next. Generation runs
        ahead of a slow reader, so that it never holds up the others, and stops within a piece of the prompt
        or a token once this iterator is closed.

        Raises:
            RequestError: all places are taken, it took too long, or the server ends.
        """
        if self._end < math.inf:
            raise _ending()
        self._take(sum(question.choices for question in questions))
        loop = asyncio.get_running_loop()
        arrived: asyncio.Queue[_Item] = asyncio.Queue()
        cancelled = threading.Event()

        def put(item: _Item) -> None:
            if not loop.is_closed():
                loop.call_soon_threadsafe(arrived.put_nowait, item)

        def work(question: ChatRequest, before: int) -> None:
            try:
                _generate(question, assistant, cancelled, put, before)
            except Exception as error:
                put(error)
            finally:
                self._give(question.choices)
                put(None)

        before = 0
        for question in questions:
            self._threads.submit(work, question, before)
            before += question.choices
        answering = len(questions)
        try:
            began = loop.time()
            look = began + _LOOK_SECONDS
            while True:
                for item in await _arrived(arrived):
                    if item is None:
                        answering -= 1
                        if not answering:
                            return
                        continue
                    if isinstance(item, Exception):
                        raise item
                    yield item
                if (now := loop.time()) >= look:
                    if now >= self._end:
                        raise _ending()
                    if now - began > self._seconds:
                        told = f"no whole answer within {self._seconds:g} s; ask for fewer tokens, or later"
                        raise RequestError(504, told, "deadline_exceeded")
                    if await gone():
                        return
                    look = loop.time() + _LOOK_SECONDS
        finally:
            cancelled.set()

    def end(self, seconds: float) -> None:
        """Take no more questions; those under way are given up after `seconds`. Call it in the event loop."""
        self._end = asyncio.get_running_loop().time() + seconds

    def close(self) -> None:
        """Take no more questions; those under way may end."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _take(self, places: int) -> None:
        if places > self._most:
            told = f"{places} answers are asked for at once; the server has {self._most} places: ask for less"
            raise RequestError(400, told, "too_many_choices", "n")
        with self._taking:
            if places > self._free:
                told = "the server is busy; try again in a moment"
                raise RequestError(503, told, "busy", headers={"Retry-After": "2"})
            self._free -= places

    def _give(self, places: int) -> None:
        with self._taking:
            self._free += places


def _generate(
    question: ChatRequest,
    assistant: Assistant,
    cancelled: threading.Event,
    put: Callable[[Said], None],
    before: int,
) -> None:
    """Answer a question; `before` is how many choices those before it have."""
    stream = assistant.stream(
        question.conversation,
        model=question.model,
        layers=question.layers,
        sampling=question.sampling,
        choices=question.choices,
        gone=cancelled.is_set,
    )
    for item in stream:
        if cancelled.is_set():
            return
        put(replace(item, choice=before + item.choice) if before else item)


def _ending() -> RequestError:
    told = "the server is being stopped; ask again in a moment"
    return RequestError(503, told, "stopping", headers={"Retry-After": "5"})


async def _arrived(queue: "asyncio.Queue[_Item]") -> list[_Item]:
    """The next item, or nothing if none comes for a while."""
    try:
        return [await asyncio.wait_for(queue.get(), _LOOK_SECONDS)]
    except TimeoutError:
        return []

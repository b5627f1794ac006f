"""What so many clients of a server get, who ask one question after the other."""

import asyncio
import json
import statistics
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit

import httpx
import psutil

from deploy.errors import ThreeplyError

WARM_UP = 2  # requests before the clock starts


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What so many clients got within `seconds`: answers, refusals by status, and times in seconds.

    `processor` is what the server has used of the processor meanwhile, which other work beside it changes
    less than the others.
    """

    clients: int
    seconds: float
    answers: int
    tokens: int
    refused: dict[str, int]
    first_text: float
    whole: float
    processor: float

    @property
    def a_second(self) -> float:
        """Answers a second."""
        return self.answers / self.seconds

    @property
    def an_answer(self) -> float:
        """Seconds of the processor that an answer costs."""
        return self.processor / self.answers if self.answers else 0.0


def listener(address: str) -> psutil.Process:
    """The process that listens at `address`, a child of this one or this one itself.

    Raises:
        ThreeplyError: there is none.
    """
    port = urlsplit(address).port
    own = psutil.Process()
    for process in (own, *own.children(recursive=True)):
        for connection in process.net_connections(kind="tcp"):
            if connection.status == psutil.CONN_LISTEN and connection.laddr.port == port:
                return process
    raise ThreeplyError(f"nobody listens at {address}")


def processor_seconds(process: psutil.Process) -> float:
    """What a process has used of the processor since its start."""
    times = process.cpu_times()
    return float(times.user + times.system)


async def measured(
    address: str,
    questions: Sequence[list[dict[str, Any]]],
    clients: int,
    seconds: float,
    model: str,
    asking: Mapping[str, Any] = MappingProxyType({}),
) -> Load:
    """What `clients` get who ask one question after the other for so many seconds.

    `asking` are further fields of each request.
    """
    firsts: list[float] = []
    wholes: list[float] = []
    tokens: list[int] = []
    refused: Counter[str] = Counter()
    turn = iter(range(10**9))
    server = listener(address)
    limits = httpx.Limits(max_connections=None)
    async with httpx.AsyncClient(base_url=address, timeout=600, limits=limits) as client:

        async def one() -> None:
            body = {"model": model, "messages": questions[next(turn) % len(questions)], **asking}
            began = time.perf_counter()
            first = 0.0
            async with client.stream(
                "POST",
                "/v1/chat/completions",
                json={**body, "stream": True, "stream_options": {"include_usage": True}},
            ) as reply:
                if reply.status_code != 200:
                    refused[str(reply.status_code)] += 1
                    await asyncio.sleep(0.5)
                    return
                usage = 0
                async for line in reply.aiter_lines():
                    if not line.startswith("data: {"):
                        continue
                    event = json.loads(line.removeprefix("data: "))
                    if event.get("usage"):
                        usage = event["usage"]["completion_tokens"]
                    said = event.get("choices") and event["choices"][0]["delta"].get("content")
                    first = first or (time.perf_counter() - began if said else 0.0)
            firsts.append(first)
            wholes.append(time.perf_counter() - began)
            tokens.append(usage)

        for _ in range(WARM_UP):
            await one()
        for kept in (firsts, wholes, tokens):
            kept.clear()
        refused.clear()
        used = processor_seconds(server)
        began = time.perf_counter()

        async def go_on() -> None:
            while time.perf_counter() - began < seconds:
                await one()

        await asyncio.gather(*(go_on() for _ in range(clients)))
        lasted = time.perf_counter() - began
        used = processor_seconds(server) - used
    middle = statistics.median
    return Load(
        clients=clients,
        seconds=lasted,
        answers=len(wholes),
        tokens=sum(tokens),
        refused=dict(refused),
        first_text=middle(firsts) if firsts else 0.0,
        whole=middle(wholes) if wholes else 0.0,
        processor=used,
    )

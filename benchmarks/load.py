"""A server under many more clients than it has places: what they get, and what it costs.

    python -m benchmarks.load [--bundle data/bundle] [--clients 200] [--seconds 60] [--half-open 300]

Some questions are asked alone first. Then so many clients ask them again and again, one in ten of whom leaves
before its answer is there. Counts answers, those that differ from the one that was given alone, refusals by
status (429 and 503 are honest ones) and all else, and watches the server's memory. At last connections that
send half a request are counted until the server has closed them. Exits with 1 if a client got what it should
not; the last line is one JSON object.
"""

import argparse
import asyncio
import json
import sys
import time
from collections import Counter
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import psutil

from benchmarks.serving.__main__ import asked, serving
from benchmarks.serving.load import listener
from deploy.errors import ThreeplyError
from tasks.settings import load_settings

QUESTIONS = 24
HONEST = (429, 503)
LEAVING = 10  # one in so many clients leaves early


@dataclass(slots=True)
class Course:
    """What all clients got; memory in MiB: after the first questions, and at the most."""

    answers: int = 0
    differ: int = 0
    left: int = 0
    refused: Counter[int] = field(default_factory=Counter)
    wrong: Counter[str] = field(default_factory=Counter)
    memory_before: float = 0.0
    memory_most: float = 0.0
    memory_after: float = 0.0
    half_open_seconds: float = 0.0
    half_open_left: int = 0


def main() -> int:
    """Ask, and print what came; exit 1 where a client got what it should not."""
    words = argparse.ArgumentParser(prog="python -m benchmarks.load", description=__doc__)
    words.add_argument("--bundle", type=Path, default=Path("data/bundle"), metavar="DIR")
    words.add_argument("--clients", type=int, default=200)
    words.add_argument("--seconds", type=float, default=60.0)
    words.add_argument("--half-open", type=int, default=300, metavar="N")
    words.add_argument("--model", default="sft")
    given = words.parse_args()
    try:
        questions = asked(Path("data/splits/test/examples.parquet"))[:QUESTIONS]
        limit = load_settings(Path("params.yaml")).serve.read_seconds
        with serving(Path().resolve(), given.bundle.resolve()) as address:
            bodies = [{"model": given.model, "messages": each} for each in questions]
            course = asyncio.run(flooded(address, bodies, given.clients, given.seconds))
            course.half_open_seconds, course.half_open_left = asyncio.run(
                half_open(address, given.half_open, 2.0 * limit + 10.0)
            )
    except ThreeplyError as error:
        print(error, file=sys.stderr)
        return 1
    refused = ", ".join(f"{count} x {status}" for status, count in sorted(course.refused.items())) or "none"
    print(f"{course.answers} answers, {course.differ} other than alone; {course.left} clients left early")
    print(f"refused: {refused}; what should not be: {dict(course.wrong) or 'nothing'}")
    print(
        f"memory: {course.memory_before:.0f} MiB before, {course.memory_most:.0f} at the most, "
        f"{course.memory_after:.0f} after"
    )
    print(
        f"{given.half_open} half-open connections: {course.half_open_left} still open after "
        f"{course.half_open_seconds:.0f} s (read_seconds is {limit:g})"
    )
    print(json.dumps({**asdict(course), "refused": {str(k): v for k, v in course.refused.items()}}))
    return 1 if course.wrong or course.half_open_left else 0


async def flooded(
    address: str, bodies: list[dict[str, Any]], clients: int, seconds: float, *, patience: float = 600.0
) -> Course:
    """What so many clients get in so many seconds, and until the last of them has its answer."""
    course, server = Course(), listener(address)
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=0)
    async with httpx.AsyncClient(base_url=address, timeout=patience, limits=limits) as client:
        alone = [(await client.post("/v1/chat/completions", json=body)).json() for body in bodies]
        right = [_said(each) for each in alone]
        course.memory_before = course.memory_most = _mib(server)
        ends = time.perf_counter() + seconds

        async def one(number: int) -> None:
            turn = number
            while time.perf_counter() < ends:
                turn += 1
                place = turn % len(bodies)
                leaves = number % LEAVING == 0
                try:
                    reply = await client.post(
                        "/v1/chat/completions", json=bodies[place], timeout=0.5 if leaves else patience
                    )
                except httpx.TimeoutException:
                    if leaves:
                        course.left += 1
                    else:
                        course.wrong["no reply"] += 1
                    continue
                except httpx.HTTPError as error:
                    course.wrong[type(error).__name__] += 1
                    continue
                if reply.status_code in HONEST:
                    course.refused[reply.status_code] += 1
                    if not reply.headers.get("retry-after"):
                        course.wrong[f"{reply.status_code} without Retry-After"] += 1
                    await asyncio.sleep(1.0)
                elif reply.status_code == 200:
                    course.answers += 1
                    course.differ += _said(reply.json()) != right[place]
                else:
                    course.wrong[str(reply.status_code)] += 1

        async def watch() -> None:
            while True:
                course.memory_most = max(course.memory_most, _mib(server))
                await asyncio.sleep(0.5)

        watching = asyncio.create_task(watch())
        await asyncio.gather(*(one(number) for number in range(clients)))
        watching.cancel()
        course.memory_after = _mib(server)
    return course


async def half_open(address: str, count: int, most: float) -> tuple[float, int]:
    """After how many seconds the server had closed all of so many half requests, and how many it had not."""
    where = urlsplit(address)
    opened = [await asyncio.open_connection(where.hostname, where.port) for _ in range(count)]
    for _, writer in opened:
        writer.write(b"POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1\r\n")
        await writer.drain()
    began = time.perf_counter()

    async def ended(reader: asyncio.StreamReader) -> None:
        while await reader.read(4096):
            pass

    _, pending = await asyncio.wait(
        [asyncio.create_task(ended(reader)) for reader, _ in opened], timeout=most
    )
    for task in pending:
        task.cancel()
    for _, writer in opened:
        writer.close()
    return time.perf_counter() - began, len(pending)


def _said(reply: dict[str, Any]) -> str:
    return str(reply["choices"][0]["message"]["content"])


def _mib(process: psutil.Process) -> float:
    return float(process.memory_info().rss) / 2**20


if __name__ == "__main__":
    raise SystemExit(main())

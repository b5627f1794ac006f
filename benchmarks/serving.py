"""Requests a second of a server under many clients, and how long the first word takes.

    python -m benchmarks.serving [--bundle data/bundle] [--clients 1 4 16 64] [--seconds 20]
    python -m benchmarks.serving --before FOLDER

Starts a server of the bundle in a process of its own, and as many clients as are asked for, each of which
asks one question of the test split after the other. `--before` names a checkout of an earlier version, whose
server of the same bundle is measured in turn with this one, and the ratios are printed. The last line is one
JSON object.
"""

import argparse
import asyncio
import json
import os
import statistics
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import httpx

from deploy.errors import ThreeplyError
from deploy.messages import as_dicts
from tasks.machine.process import end_with_parent, environment
from tasks.rows.records import Example
from tasks.rows.tables import read_table
from tasks.settings import load_settings

LISTENING = "listening on "
MODEL = "sft"
WARM_UP = 2  # requests before the clock starts


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What so many clients got within `seconds`: answers, refusals by status, and times in seconds."""

    clients: int
    seconds: float
    answers: int
    tokens: int
    refused: dict[str, int]
    first_text: float
    whole: float

    @property
    def a_second(self) -> float:
        """Answers a second."""
        return self.answers / self.seconds


def main() -> int:
    """Measure, and print a table; exit 1 if a server does not start or there is nothing to ask."""
    words = argparse.ArgumentParser(prog="python -m benchmarks.serving", description=__doc__)
    words.add_argument("--bundle", type=Path, default=Path("data/bundle"), metavar="DIR")
    words.add_argument("--clients", type=int, nargs="+", default=[1, 4, 16, 64], metavar="N")
    words.add_argument("--seconds", type=float, default=20.0)
    words.add_argument("--rounds", type=int, default=1, help="times that each server is measured, in turn")
    words.add_argument("--before", type=Path, metavar="FOLDER", help="a checkout of an earlier version")
    words.add_argument("--model", default=MODEL)
    given = words.parse_args()
    try:
        questions = asked(Path("data/splits/test/examples.parquet"))
        places = {"now": Path(), **({"before": given.before} if given.before else {})}
        found: dict[str, list[Load]] = {name: [] for name in places}
        for _ in range(given.rounds):
            for name, place in places.items():
                with serving(place.resolve(), given.bundle.resolve()) as address:
                    found[name] += [
                        asyncio.run(measured(address, questions, clients, given.seconds, given.model))
                        for clients in given.clients
                    ]
    except ThreeplyError as error:
        print(error, file=sys.stderr)
        return 1
    print("\n".join(table(found)))
    print(json.dumps({name: [asdict(load) for load in loads] for name, loads in found.items()}))
    return 0


def asked(path: Path) -> list[list[dict[str, Any]]]:
    """The conversations of the test split.

    Raises:
        ThreeplyError: there is none yet.
    """
    if not path.exists():
        raise ThreeplyError(f"{path} is not there: run threeply run --until split first")
    return [[dict(turn) for turn in as_dicts(row.prompt)] for row in read_table(path, Example)]


@contextmanager
def serving(place: Path, bundle: Path) -> Iterator[str]:
    """The address of a server of `bundle` by the code in `place`, with as many places as clients may be.

    Raises:
        ThreeplyError: it does not start.
    """
    threads = environment(load_settings(Path("params.yaml")).run.threads)
    with subprocess.Popen(
        [sys.executable, "-m", "flows", "serve", "--bundle", str(bundle), "--port", "0"],
        cwd=place,
        env={**os.environ, **threads, "PYTHONPATH": str(place)},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        preexec_fn=end_with_parent,  # noqa: PLW1509  (one thread)
    ) as server:
        assert server.stdout is not None
        line = next((line for line in server.stdout if line.startswith(LISTENING)), None)
        try:
            if line is None:
                raise ThreeplyError(f"the server of {place} does not start: threeply serve there says why")
            yield line.split()[2]
        finally:
            server.terminate()


async def measured(
    address: str, questions: Sequence[list[dict[str, Any]]], clients: int, seconds: float, model: str
) -> Load:
    """What `clients` get who ask one question after the other for so many seconds."""
    firsts: list[float] = []
    wholes: list[float] = []
    tokens: list[int] = []
    refused: Counter[str] = Counter()
    turn = iter(range(10**9))
    limits = httpx.Limits(max_connections=None)
    async with httpx.AsyncClient(base_url=address, timeout=600, limits=limits) as client:

        async def one() -> None:
            body = {"model": model, "messages": questions[next(turn) % len(questions)]}
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
        began = time.perf_counter()

        async def go_on() -> None:
            while time.perf_counter() - began < seconds:
                await one()

        await asyncio.gather(*(go_on() for _ in range(clients)))
        lasted = time.perf_counter() - began
    middle = statistics.median
    return Load(
        clients=clients,
        seconds=lasted,
        answers=len(wholes),
        tokens=sum(tokens),
        refused=dict(refused),
        first_text=middle(firsts) if firsts else 0.0,
        whole=middle(wholes) if wholes else 0.0,
    )


def table(found: dict[str, list[Load]]) -> list[str]:
    """One line for each server and number of clients, and for each number the ratio of now to before."""
    lines = ["server  clients  answers/s  tokens/s  first text  whole answer  refused"]
    for name, loads in found.items():
        for load in loads:
            told = ", ".join(f"{count} x {status}" for status, count in load.refused.items()) or "none"
            lines.append(
                f"{name:<7} {load.clients:>7}  {load.a_second:>9.2f}  {load.tokens / load.seconds:>8.1f}  "
                f"{load.first_text:>8.2f} s  {load.whole:>10.2f} s  {told}"
            )
    if "before" in found:
        for clients in dict.fromkeys(load.clients for load in found["now"]):
            now, before = (
                statistics.mean(load.a_second for load in found[name] if load.clients == clients)
                for name in ("now", "before")
            )
            lines.append(f"{clients} clients: {now / before:.2f} times the answers a second")
    return lines


if __name__ == "__main__":
    raise SystemExit(main())

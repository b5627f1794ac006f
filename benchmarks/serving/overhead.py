"""Where the time of a request goes: the search, the model, and all that the server does around them."""

import statistics
import time
from collections.abc import Mapping, Sequence
from typing import Any

import httpx

from benchmarks.serving.load import WARM_UP
from deploy.errors import ThreeplyError

PARTS = ("whole", "search", "model", "around")


def overhead(
    address: str, questions: Sequence[list[dict[str, Any]]], model: str, *, count: int
) -> dict[str, list[float]]:
    """For each of `count` questions, asked one after the other, the milliseconds of its parts.

    What the server says of search and answer is taken from its reply; `around` is what is left of the time
    that the client has waited: HTTP, reading and checking the request, threads, the reply as JSON.

    Raises:
        ThreeplyError: a question is not answered.
    """
    found: dict[str, list[float]] = {part: [] for part in PARTS}
    with httpx.Client(base_url=address, timeout=120.0) as client:
        for place in range(WARM_UP + count):
            body = {"model": model, "messages": questions[place % len(questions)]}
            began = time.perf_counter()
            reply = client.post("/v1/chat/completions", json=body)
            whole = (time.perf_counter() - began) * 1000.0
            if reply.status_code != 200:
                raise ThreeplyError(f"{address} answered {reply.status_code}: {reply.text[:200]}")
            if place < WARM_UP:
                continue
            timings = reply.json()["threeply"]["timings"]
            search, answer = timings["retrieval_ms"], timings["total_ms"]
            for part, took in zip(PARTS, (whole, search, answer - search, whole - answer), strict=True):
                found[part].append(took)
    return found


def overhead_table(found: Mapping[str, Sequence[float]]) -> list[str]:
    """The median of each part, and what 95 of a hundred stay below."""
    lines = [f"{'part':<8}  {'median':>10}  {'95 %':>10}"]
    for part, took in found.items():
        _, *_, most = statistics.quantiles(took, n=20, method="inclusive")
        lines.append(f"{part:<8}  {statistics.median(took):>7.1f} ms  {most:>7.1f} ms")
    return lines

"""Requests a second of a server under many clients, and how long the first word takes.

    python -m benchmarks.serving [--bundle data/bundle] [--clients 1 4 16 64] [--seconds 20]
    python -m benchmarks.serving --before FOLDER [--before-bundle DIR]
    python -m benchmarks.serving --peers
    python -m benchmarks.serving --overhead 50
    python -m benchmarks.serving --training [--run FOLDER]

Starts a server of the bundle in a process of its own, and as many clients as are asked for, each of which
asks one question of the test split after the other. `--before` names a checkout of an earlier version, whose
server of the same bundle is measured in turn with this one. `--peers` asks the untuned model, ours with the
search before it, and `transformers serve` (by default, and batching) and bare `generate` with prompts that
have been composed before. `--overhead` asks so many questions one after the other, and tells what of their
time is search, model, and the server around them. `--training` asks beside a fine-tuning on the rows of a
finished run, on the same cores. Ratios are printed, and what an answer costs of the processor, which other
work on the machine changes less; the last line is one JSON object.
"""

import argparse
import asyncio
import json
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.serving.beside import beside_table, training
from benchmarks.serving.load import Load, measured
from benchmarks.serving.overhead import overhead, overhead_table
from benchmarks.serving.peers import bare_generate, prompts_of, transformers_serve
from deploy.bundle import read_settings
from deploy.engines.precision import choose_device
from deploy.errors import ThreeplyError
from deploy.messages import as_dicts
from flows.started import started
from tasks.machine.process import environment
from tasks.rows.records import Example
from tasks.rows.tables import read_table
from tasks.settings import load_settings

MODEL = "sft"
ASKED = 64  # questions that peers are asked: composing them takes a while
Way = Callable[[Sequence[int], float], list[Load]]  # of so many clients each, for so many seconds


def main() -> int:
    """Measure, and print a table; exit 1 if a server does not start or there is nothing to ask."""
    words = argparse.ArgumentParser(prog="python -m benchmarks.serving", description=__doc__)
    words.add_argument("--bundle", type=Path, default=Path("data/bundle"), metavar="DIR")
    words.add_argument("--clients", type=int, nargs="+", default=[1, 4, 16, 64], metavar="N")
    words.add_argument("--seconds", type=float, default=20.0)
    words.add_argument("--rounds", type=int, default=1, help="times that each server is measured, in turn")
    words.add_argument("--before", type=Path, metavar="FOLDER", help="a checkout of an earlier version")
    text = "the bundle that it serves, where it cannot read this one: of the same models, in its own format"
    words.add_argument("--before-bundle", type=Path, metavar="DIR", help=text)
    words.add_argument("--peers", action="store_true", help="measure what others serve with, too")
    words.add_argument("--overhead", type=int, metavar="N", help="ask N questions; where does their time go?")
    words.add_argument("--training", action="store_true", help="one client, beside a training")
    words.add_argument("--run", type=Path, default=Path(), metavar="FOLDER", help="whose rows it trains on")
    words.add_argument("--model", default=MODEL)
    given = words.parse_args()
    try:
        questions = asked(Path("data/splits/test/examples.parquet"))
        bundle = given.bundle.resolve()
        if given.overhead:
            with serving(Path(), bundle) as address:
                parts = overhead(address, questions, given.model, count=given.overhead)
            print("\n".join(overhead_table(parts)))
            print(json.dumps(parts))
            return 0
        if given.training:
            told = beside_training(bundle, questions, given)
            print("\n".join(beside_table(told)))
            print(
                json.dumps(
                    [
                        {"way": name, **(asdict(load) if load else {}), "rows": rows}
                        for name, load, rows in told
                    ]
                )
            )
            return 0
        if given.peers:
            ways = beside_peers(bundle, questions[:ASKED])
        else:
            ways = {"now": ours(Path(), bundle, questions, given.model)}
            if given.before:
                own = (given.before_bundle or bundle).resolve()
                ways["before"] = ours(given.before, own, questions, given.model)
        found: dict[str, list[Load]] = {name: [] for name in ways}
        for _ in range(given.rounds):
            for name, way in ways.items():
                found[name] += way(given.clients, given.seconds)
    except ThreeplyError as error:
        print(error, file=sys.stderr)
        return 1
    print("\n".join(table(found)))
    print(json.dumps({name: [asdict(load) for load in loads] for name, loads in found.items()}))
    return 0


def ours(
    place: Path, bundle: Path, questions: Sequence[list[dict[str, Any]]], model: str, **asking: Any
) -> Way:
    """Our server of `bundle`, by the code in `place`."""

    def way(clients: Sequence[int], seconds: float) -> list[Load]:
        with serving(place.resolve(), bundle) as address:
            return [
                asyncio.run(measured(address, questions, count, seconds, model, asking)) for count in clients
            ]

    return way


def beside_training(
    bundle: Path, questions: Sequence[list[dict[str, Any]]], given: argparse.Namespace
) -> list[tuple[str, Load | None, float | None]]:
    """What one client gets of our server, alone and beside a training, with the rows a second of that."""
    told: list[tuple[str, Load | None, float | None]] = []
    with serving(Path(), bundle) as address:

        def asking() -> Load:
            return asyncio.run(measured(address, questions, 1, given.seconds, given.model))

        for _ in range(given.rounds):
            told.append(("alone", asking(), None))
            with training(given.run) as pace:
                before = time.monotonic()
                time.sleep(given.seconds)
                told.append(("a training alone", None, pace.between(before, time.monotonic())))
                before = time.monotonic()
                load = asking()
                rows = pace.between(before, time.monotonic())
            told.append(("beside a training", load, rows))
    return told


def beside_peers(bundle: Path, questions: Sequence[list[dict[str, Any]]]) -> dict[str, Way]:
    """The untuned model of `bundle`, by us and by others, each with as many tokens an answer."""
    settings = read_settings(bundle)
    most = settings.generation.max_new_tokens
    asking = {"temperature": 0.0, "max_tokens": most}
    _, dtype = choose_device(settings.precision)
    threads = load_settings(Path("params.yaml")).run.threads
    prompts = prompts_of(bundle, questions)

    def served(batching: bool) -> Way:
        def way(clients: Sequence[int], seconds: float) -> list[Load]:
            base = bundle / "base"
            with transformers_serve(base, dtype=dtype, threads=threads, batching=batching) as address:
                return [
                    asyncio.run(measured(address, prompts, count, seconds, str(base), asking))
                    for count in clients
                ]

        return way

    def generated(clients: Sequence[int], seconds: float) -> list[Load]:
        return [bare_generate(bundle, prompts, batch=count, seconds=seconds, most=most) for count in clients]

    return {
        "now": ours(Path(), bundle, questions, "base", **asking),
        "transformers serve": served(batching=False),
        "transformers serve, batching": served(batching=True),
        "generate, in batches": generated,
    }


def asked(path: Path) -> list[list[dict[str, Any]]]:
    """The conversations of the test split.

    Raises:
        ThreeplyError: there is none yet.
    """
    if not path.exists():
        raise ThreeplyError(f"{path} is not there: run threeply run --until split first")
    return [[dict(turn) for turn in as_dicts(row.prompt)] for row in read_table(path, Example)]


@contextmanager
def serving(place: Path, bundle: Path, **settings: str) -> Iterator[str]:
    """The address of a server of `bundle` by the code in `place`, with as many places as clients may be.

    `settings` are further variables of its environment.

    Raises:
        ReleaseError: it does not start.
    """
    threads = environment(load_settings(Path("params.yaml")).run.threads)
    variables = {**threads, "PYTHONPATH": str(place), **settings}
    with started("--bundle", str(bundle), place=place, variables=variables) as address:
        yield address


def table(found: dict[str, list[Load]]) -> list[str]:
    """One line for each server and number of clients, and for each number the ratio of now to the others."""
    wide = max(map(len, found))
    lines = [
        f"{'server':<{wide}}  clients  answers/s  tokens/s  first text  whole answer  processor  refused"
    ]
    for name, loads in found.items():
        for load in loads:
            told = ", ".join(f"{count} x {status}" for status, count in load.refused.items()) or "none"
            lines.append(
                f"{name:<{wide}}  {load.clients:>7}  {load.a_second:>9.2f}  "
                f"{load.tokens / load.seconds:>8.1f}  {load.first_text:>8.2f} s  "
                f"{load.whole:>10.2f} s  {load.an_answer:>7.2f} s  {told}"
            )
    for other in list(found)[1:]:
        for clients in dict.fromkeys(load.clients for load in found["now"]):
            pairs = [[load for load in found[name] if load.clients == clients] for name in ("now", other)]
            now, beside = (statistics.mean(load.a_second for load in loads) for loads in pairs)
            used, use = (statistics.mean(load.an_answer for load in loads) for loads in pairs)
            told = f"{now / beside:.2f}" if beside else "more"
            less = f", an answer at {used / use:.2f} times the processor time" if use else ""
            lines.append(f"{clients} clients: {told} times the answers a second of {other}{less}")
    return lines


if __name__ == "__main__":
    raise SystemExit(main())

"""The search at ten thousand, a hundred thousand and a million passages.

    python -m benchmarks.scale                            stores of 10,000, 100,000 and 1,000,000 passages
    python -m benchmarks.scale 10000 --added 50000        passages that are added while it is served, too
    python -m benchmarks.scale --peers PYTHON             beside LangChain's and LlamaIndex's FAISS and BM25
    python -m benchmarks.scale --write                    writes the tables into docs/retrieval.md
    python -m benchmarks.scale --told LOG... --write      of what it has printed before

Vectors are made of those in data/index (without it, of clusters), words by Zipf's law; nothing is embedded.
Each size is made in one process and searched in another, with one document of a hundred deleted. PYTHON is
the interpreter of an environment with faiss-cpu, langchain-classic, langchain-community, rank-bm25,
llama-index-core, llama-index-vector-stores-faiss and llama-index-retrievers-bm25. The last line is one JSON
object.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.apart import told_by
from benchmarks.pages import write_between
from benchmarks.scale import steps
from benchmarks.scale.page import NAMES, tables
from deploy.knowledge.embedder import WEIGHTS
from tasks.machine.process import environment
from tasks.settings import Settings, load_settings

PAGE = Path("docs/retrieval.md")
SIZES = [10_000, 100_000, 1_000_000]


def main() -> int:
    """Measure every size, or one step of one in this process; exit 1 if one has failed."""
    words = argparse.ArgumentParser(prog="python -m benchmarks.scale", description=__doc__)
    words.add_argument("sizes", type=int, nargs="*", default=SIZES, metavar="PASSAGES")
    words.add_argument("--store", type=Path, default=Path("data/index"), help="whose vectors others are like")
    words.add_argument("--embedder", type=Path, default=Path("data/models/embedder"))
    words.add_argument("--added", type=int, default=0, help="passages put while serving, in the first size")
    words.add_argument("--peers", type=Path, metavar="PYTHON", help="interpreter that has the others")
    words.add_argument("--told", nargs="+", type=Path, metavar="LOG", help="measure nothing; tables of these")
    words.add_argument(
        "--busy", action="store_true", help="the machine does other work: count a thread's own processor time"
    )
    words.add_argument("--write", action="store_true", help=f"write the tables into {PAGE}")
    words.add_argument("--step", choices=("build", "search", "add", "embed"), help=argparse.SUPPRESS)
    words.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    given = words.parse_args()
    if given.step:
        print(json.dumps(step(given)))
        return 0
    settings = load_settings(Path("params.yaml"))
    found: dict[str, Any] = {}
    for log in given.told or ():
        found |= json.loads(log.read_text(encoding="utf-8").splitlines()[-1])
    for size in given.sizes if not given.told else ():
        with TemporaryDirectory() as folder:
            found[str(size)] = measured(given, size, Path(folder), settings)
    text = tables(found)
    print(text)
    if given.write:
        cores = max(told.get("cores", 1) for told in found.values())
        machine = f"{cores} core{'s' if cores > 1 else ''}, {platform.machine()}"
        busy = " --busy" if any(told.get("busy") for told in found.values()) else ""
        source = f"\n*`python -m benchmarks.scale{busy}` on {machine}.*\n"
        write_between(PAGE, "scale", text + source)
    print(json.dumps(found))
    return int(any("search_p50_ms" not in told for told in found.values()))


def step(given: argparse.Namespace) -> dict[str, Any]:
    """One measurement, in this process."""
    clock = time.thread_time if given.busy else time.perf_counter
    if given.step == "build":
        return steps.build(given.folder, given.store, given.sizes[0], clock)
    if given.step == "search":
        return steps.search(given.folder, clock)
    if given.step == "add":
        return steps.add(given.folder, given.added, clock)
    return steps.embed(given.folder, given.embedder, clock)


def measured(given: argparse.Namespace, size: int, folder: Path, settings: Settings) -> dict[str, Any]:
    """The figures of one size; what has failed is missing."""
    busy = ["--busy"] if given.busy else []

    def told(name: str, *more: str) -> dict[str, Any]:
        print(f"{size} passages: {name}", file=sys.stderr, flush=True)
        words = [
            str(size),
            "--step",
            name,
            "--folder",
            str(folder),
            "--store",
            str(given.store),
            *busy,
            *more,
        ]
        return told_by("benchmarks.scale", words, settings) or {}

    figures = told("build")
    figures |= {"busy": given.busy} if figures else {}
    figures |= told("search") if figures else {}
    if given.added and size == given.sizes[0]:
        figures["added"] = told("add", "--added", str(given.added))
    if (given.embedder / WEIGHTS).is_file() and size == given.sizes[0]:
        figures |= told("embed", "--embedder", str(given.embedder))
    for name in NAMES if given.peers else ():
        print(f"{size} passages: {name}", file=sys.stderr, flush=True)
        figures[name] = peer(given.peers, [name, str(folder), *busy], settings)
    return figures


def peer(python: Path, words: list[str], settings: Settings) -> dict[str, Any]:
    """The figures of another library under the same environment; none where it has failed."""
    done = subprocess.run(
        [str(python), str(Path(__file__).with_name("peers.py")), *words],
        stdout=subprocess.PIPE,
        text=True,
        check=False,
        env={**os.environ, **environment(settings.run.threads), "PYTHONPATH": ""},
    )
    return {} if done.returncode else json.loads(done.stdout.splitlines()[-1])


if __name__ == "__main__":
    raise SystemExit(main())

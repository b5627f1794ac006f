"""Documents that come and go while questions are searched: how long each takes, and whether one goes wrong.

    python -m benchmarks.live [--bundle data/bundle] [--changes 10000] [--documents 1000] [--searchers 2]

Adds, replaces and deletes documents at random beside the store of the bundle, while others search for them.
Each version of a document has a word of its own. A search of which nothing was changed on the way has to find
the document's present version first, or, where it was deleted, nothing of it. Exits with 1 if one is wrong;
the last line is one JSON object.
"""

import argparse
import json
import random
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from deploy.bundle import read_settings, verify_bundle
from deploy.documents.live import LiveKnowledge
from deploy.errors import ThreeplyError
from deploy.knowledge.chunking import KnowledgeDocument
from deploy.knowledge.store import open_knowledge


@dataclass(slots=True)
class Course:
    """What happened: times in seconds, and each wrong search in words."""

    changes: list[float] = field(default_factory=list)
    searches: list[float] = field(default_factory=list)
    checked: int = 0
    wrong: list[str] = field(default_factory=list)


def main() -> int:
    """Change and search; exit 1 if a search was wrong, or there is no bundle."""
    words = argparse.ArgumentParser(prog="python -m benchmarks.live", description=__doc__)
    words.add_argument("--bundle", type=Path, default=Path("data/bundle"), metavar="DIR")
    words.add_argument("--changes", type=int, default=10_000)
    words.add_argument("--documents", type=int, default=1_000, help="names that they are about")
    words.add_argument("--searchers", type=int, default=2)
    given = words.parse_args()
    try:
        verify_bundle(given.bundle)
        settings = read_settings(given.bundle)
        store = open_knowledge(given.bundle / "knowledge", given.bundle / "embedder", settings.retrieval)
    except ThreeplyError as error:
        print(error, file=sys.stderr)
        return 1
    with TemporaryDirectory() as folder:
        knowledge = LiveKnowledge(store, Path(folder), chunk_words=settings.chunk_words)
        course = mixed(knowledge, changes=given.changes, documents=given.documents, searchers=given.searchers)
        print(
            f"{store.num_chunks} passages in the bundle, {len(knowledge.documents())} documents added at last"
        )
        knowledge.close()
    told = summary(course)
    print("\n".join(course.wrong[:10]))
    for name in ("change", "search"):
        print(f"{name:<7} p50 {told[f'{name}_p50_ms']:>6} ms   p95 {told[f'{name}_p95_ms']:>6} ms")
    print(
        f"{told['checked']} of {told['searches']} searches met no change of their document; "
        f"{told['wrong']} of them wrong"
    )
    print(json.dumps(told))
    return 1 if course.wrong else 0


def mixed(knowledge: LiveKnowledge, *, changes: int, documents: int, searchers: int, seed: int = 0) -> Course:
    """`changes` at random to so many `documents`, beside so many threads that search for them."""
    course, draw = Course(), random.Random(seed)
    versions = [0] * documents  # odd: the document is being changed; of whole changes an even number
    present: list[int | None] = [None] * documents
    done, counting = threading.Event(), threading.Lock()

    def search(own: random.Random) -> None:
        while not done.is_set():
            name = own.randrange(documents)
            before, there = versions[name], present[name]
            word = spelled(name, before if there is None else there)
            began = time.perf_counter()
            [hits] = knowledge.search([f"What does {word} mean?"])
            lasted = time.perf_counter() - began
            with counting:
                course.searches.append(lasted)
                if before % 2 or versions[name] != before:
                    continue
                course.checked += 1
                found = [hit for hit in hits if hit.document == f"live/{name}"]
                if there is None and found:
                    course.wrong.append(f"{word} was deleted, and found: {found[0].text[:60]!r}")
                elif there is not None and (not hits or word not in hits[0].text):
                    course.wrong.append(f"{word} is there, and was not found first")

    threads = [
        threading.Thread(target=search, args=(random.Random(seed + 1 + number),))
        for number in range(searchers)
    ]
    for thread in threads:
        thread.start()
    try:
        for _ in range(changes):
            name = draw.randrange(documents)
            versions[name] += 1
            began = time.perf_counter()
            if present[name] is not None and draw.random() < 0.4:
                knowledge.delete(f"live/{name}")
                present[name] = None
            else:
                knowledge.put(document(name, versions[name] + 1))
                present[name] = versions[name] + 1
            course.changes.append(time.perf_counter() - began)
            versions[name] += 1
    finally:
        done.set()
        for thread in threads:
            thread.join()
    return course


def document(name: int, version: int) -> KnowledgeDocument:
    """A version of a document, with its word."""
    text = f"The word {spelled(name, version)} means number {name} in its version {version}."
    return KnowledgeDocument(id=f"live/{name}", uri=f"live:{name}", title=f"Entry {name}", text=text)


def spelled(name: int, version: int) -> str:
    """The word of a version of a document."""
    return f"zq{name}v{version}w"


def milliseconds(times: Sequence[float], share: float) -> float:
    """What so large a share of times in seconds does not exceed; 0 where there are none."""
    return round(float(np.quantile(times, share)) * 1000.0, 1) if times else 0.0


def summary(course: Course) -> dict[str, float]:
    """Counts, and times in milliseconds."""
    return {
        "changes": len(course.changes),
        "change_p50_ms": milliseconds(course.changes, 0.5),
        "change_p95_ms": milliseconds(course.changes, 0.95),
        "searches": len(course.searches),
        "search_p50_ms": milliseconds(course.searches, 0.5),
        "search_p95_ms": milliseconds(course.searches, 0.95),
        "checked": course.checked,
        "wrong": len(course.wrong),
    }


if __name__ == "__main__":
    raise SystemExit(main())

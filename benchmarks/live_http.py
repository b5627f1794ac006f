"""From sending a document until a search finds it: how long it takes through a real server.

    python -m benchmarks.live_http [--bundle data/bundle] [--documents 100] [--words 500]

Starts a server of the bundle whose added documents lie in a folder of their own. Each document is sent by
PUT, searched for by a word that it alone has, deleted, and searched for once more: the first search has to
find it first and the second nothing of it. Exits with 1 if one is wrong; the last line is one JSON object.
"""

import argparse
import json
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx

from benchmarks.live import milliseconds, spelled
from benchmarks.serving.__main__ import serving
from deploy.errors import ThreeplyError

WAIT = 60.0  # seconds for one request, on a machine that has other work
A_SECTION = 100  # words below a heading


@dataclass(slots=True)
class Course:
    """Seconds of each document until it was kept, until a search had found it, and until it was gone."""

    kept: list[float] = field(default_factory=list)
    found: list[float] = field(default_factory=list)
    gone: list[float] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)


def main() -> int:
    """Send, find and delete; exit 1 if a search was wrong, or the server does not start."""
    words = argparse.ArgumentParser(prog="python -m benchmarks.live_http", description=__doc__)
    words.add_argument("--bundle", type=Path, default=Path("data/bundle"), metavar="DIR")
    words.add_argument("--documents", type=int, default=100)
    words.add_argument("--words", type=int, default=500, help="of each document")
    given = words.parse_args()
    try:
        with (
            TemporaryDirectory() as folder,
            serving(Path(), given.bundle.resolve(), THREEPLY_SERVE_DOCUMENTS=folder) as address,
        ):
            course = changed(address, documents=given.documents, words=given.words)
    except ThreeplyError as error:
        print(error, file=sys.stderr)
        return 1
    told = summary(course)
    print("\n".join([*course.wrong[:10], *lines(told)]))
    print(json.dumps(told))
    return 1 if course.wrong else 0


def changed(address: str, *, documents: int, words: int) -> Course:
    """What becomes of so many documents of so many words, one after the other."""
    course = Course()
    with httpx.Client(base_url=address, timeout=WAIT) as client:
        for number in range(documents):
            path, name = f"/v1/documents/live/{number}.md", f"live/{number}.md"
            began = time.perf_counter()
            client.put(path, json={"text": page(number, words)}).raise_for_status()
            course.kept.append(time.perf_counter() - began)
            if _searched(client, number)[:1] != [name]:
                course.wrong.append(f"{name} was kept, and is not found first")
            course.found.append(time.perf_counter() - began)
            began = time.perf_counter()
            client.delete(path).raise_for_status()
            if name in _searched(client, number):
                course.wrong.append(f"{name} was deleted, and found")
            course.gone.append(time.perf_counter() - began)
    return course


def page(number: int, words: int) -> str:
    """A page of so many words, in sections; each of its sentences has the word that the page alone has."""
    sentence = f"Entry {number} says that {spelled(number, 0)} is what this section is about."
    count = max(1, words // len(sentence.split()))
    each = max(1, A_SECTION // len(sentence.split()))
    sections = [
        f"## Section {at // each}\n\n{' '.join([sentence] * min(each, count - at))}"
        for at in range(0, count, each)
    ]
    return "\n\n".join([f"# Entry {number}", *sections])


def summary(course: Course) -> dict[str, float]:
    """Counts, and times in milliseconds."""
    told: dict[str, float] = {"documents": len(course.kept), "wrong": len(course.wrong)}
    for name in ("kept", "found", "gone"):
        times = getattr(course, name)
        for share in (50, 95):
            told[f"{name}_p{share}_ms"] = milliseconds(times, share / 100)
    return told


def lines(told: dict[str, float]) -> list[str]:
    """The figures for people to read."""
    meant = {"kept": "until it is kept", "found": "until a search has found it", "gone": "until it is gone"}
    return [
        f"{text:<28} p50 {told[f'{name}_p50_ms']:>7} ms   p95 {told[f'{name}_p95_ms']:>7} ms"
        for name, text in meant.items()
    ] + [f"{told['wrong']} of {2 * told['documents']} searches wrong"]


def _searched(client: httpx.Client, number: int) -> list[str]:
    """The documents that a search for the page's own word finds."""
    reply = client.post("/v1/search", json={"query": f"What does {spelled(number, 0)} mean?"})
    return [hit["document"] for hit in reply.raise_for_status().json()["data"]]


if __name__ == "__main__":
    raise SystemExit(main())

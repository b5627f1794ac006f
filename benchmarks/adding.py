"""How long `threeply documents add` takes for a folder of pages, from its start to its end.

    python -m benchmarks.adding [--bundle data/bundle] [--pages 100] [--words 650] [--rounds 3]

The pages are made of the bundle's own passages, each with a word that no other has. After each round a search
for that word has to find its page first. Exits with 1 if one does not; the last line is one JSON object.
"""

import argparse
import json
import os
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.live import spelled
from deploy.bundle import verify_bundle
from deploy.errors import ThreeplyError
from deploy.knowledge.database import TRUTH, Database
from flows.documents import opened
from flows.serving import server_settings


def main() -> int:
    """Add the pages as often as asked; exit 1 if one was not found, or there is no bundle."""
    words = argparse.ArgumentParser(prog="python -m benchmarks.adding", description=__doc__)
    words.add_argument("--bundle", type=Path, default=Path("data/bundle"), metavar="DIR")
    words.add_argument("--pages", type=int, default=100)
    words.add_argument("--words", type=int, default=650, help="of each page")
    words.add_argument("--rounds", type=int, default=3)
    given = words.parse_args()
    try:
        verify_bundle(given.bundle)
        with TemporaryDirectory() as folder:
            place = Path(folder)
            write_pages(place / "pages", passages(given.bundle), pages=given.pages, words=given.words)
            seconds, passed = [], 0
            for number in range(given.rounds):
                seconds.append(added(given.bundle, place / "pages", place / f"added-{number}"))
                missed, passed = looked_for(given.bundle, place / f"added-{number}", given.pages)
                print(f"{passed} passages in {seconds[-1]:.1f} s, {len(missed)} pages not found", flush=True)
                if missed:
                    break
    except ThreeplyError as error:
        print(error, file=sys.stderr)
        return 1
    print("\n".join([*missed[:10], ""]), end="")
    told = {"pages": given.pages, "passages": passed, "seconds": round(statistics.median(seconds), 1)}
    print(json.dumps({**told, "missed": len(missed)}))
    return 1 if missed else 0


def passages(bundle: Path) -> list[str]:
    """The texts that the bundle holds."""
    with closing(Database(bundle / "knowledge" / TRUTH)) as known:
        texts, _ = known.texts()
    return texts


def write_pages(folder: Path, texts: Sequence[str], *, pages: int, words: int, seed: int = 0) -> None:
    """So many pages of so many words of `texts`, drawn by lot, a heading above every five."""
    draw = random.Random(seed)
    folder.mkdir(parents=True)
    for number in range(pages):
        parts, length = [f"# Entry {number}", f"This page is about {spelled(number, 0)}."], 0
        while length < words:
            some = draw.choices(texts, k=5)
            parts += [f"## Section {len(parts)}", *some]
            length += sum(len(text.split()) for text in some)
        (folder / f"{number}.md").write_text("\n\n".join(parts), encoding="utf-8")


def added(bundle: Path, pages: Path, folder: Path) -> float:
    """The seconds that `threeply documents add` takes; what it adds lies in `folder`.

    Raises:
        ThreeplyError: it has failed.
    """
    command = [sys.executable, "-m", "flows", "documents", "--bundle", str(bundle), "add", str(pages)]
    own = {**os.environ, **variables(folder)}
    began = time.perf_counter()
    done = subprocess.run(command, env=own, stdout=subprocess.DEVNULL, check=False)
    if done.returncode:
        raise ThreeplyError("threeply documents add has failed; what it said stands above")
    return time.perf_counter() - began


def variables(folder: Path) -> dict[str, str]:
    """What tells a command that the documents that are added lie in `folder`."""
    return {"THREEPLY_SERVE_DOCUMENTS": str(folder)}


def looked_for(bundle: Path, folder: Path, pages: int) -> tuple[list[str], int]:
    """What is missing of so many pages, in words, and how many passages were added."""
    with opened(server_settings(Path("params.yaml"), variables(folder)), bundle) as knowledge:
        found = knowledge.search([f"What is {spelled(number, 0)}?" for number in range(pages)])
        missed = [
            f"{number}.md is not found first"
            for number, hits in enumerate(found)
            if [hit.document for hit in hits[:1]] != [f"{number}.md"]
        ]
        return missed, sum(count for _, count in knowledge.documents())


if __name__ == "__main__":
    raise SystemExit(main())

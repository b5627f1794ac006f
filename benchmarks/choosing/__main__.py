"""Does little and chosen beat much and noisy? Few rows, chosen in several ways, against many with wrong ones.

    python -m benchmarks.choosing            1,000 rows against 10,000, of the last run of this project
    python -m benchmarks.choosing --run build/other --few 30 --many 300 --seeds 1 --questions 40
    python -m benchmarks.choosing --most 1   one cell more, and how long the others will take
    python -m benchmarks.choosing --write    writes the table into docs/choosing.md, too

Rows, questions and models are those of a finished run. The many have the answer of another row in a share of
them (`--noise`); the few are chosen out of the many as they were before that, and trained on so much oftener
that all see as many rows. What has ended is kept in build/choosing and not run again; what was killed goes
on. The last line is one JSON object.
"""

import argparse
import json
import sys
from pathlib import Path

from benchmarks.choosing.cells import Experiment, Plan
from benchmarks.choosing.page import summary, table
from benchmarks.pages import write_between
from deploy.errors import SettingsError, ThreeplyError
from flows.selecting import WAYS

PAGE = Path("docs/choosing.md")


def main() -> int:
    """Run the cells that are missing, and print the table; exit 1 where one has failed."""
    words = argparse.ArgumentParser(prog="python -m benchmarks.choosing", description=__doc__)
    words.add_argument(
        "--run", type=Path, default=Path(), metavar="PLACE", help="of a finished run (this one)"
    )
    words.add_argument("--few", type=int, default=1_000, help="rows that are chosen (1000)")
    words.add_argument("--many", type=int, default=10_000, help="rows that they are chosen from (10000)")
    words.add_argument("--by", nargs="+", choices=WAYS, default=["difficulty", "coverage", "random"])
    words.add_argument("--noise", type=float, nargs="+", default=[0.0, 0.15, 0.3, 0.5], metavar="SHARE")
    words.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    words.add_argument("--questions", type=int, default=180, help="of the test split, for each cell (180)")
    words.add_argument("--most", type=int, metavar="N", help="cells to run now (all)")
    words.add_argument("--write", action="store_true", help=f"write the table into {PAGE}")
    given = words.parse_args()
    try:
        plan = Plan(
            few=given.few,
            many=given.many,
            ways=given.by,
            noise=given.noise,
            seeds=given.seeds,
            questions=given.questions,
        )
        if not 0 < plan.few <= plan.many:
            raise SettingsError(f"--few {plan.few} is wrong; it should be 1 or more, and at most --many")
        experiment = Experiment(Path(), given.run, plan)
        missing = [cell for cell in plan.cells() if experiment.found(cell) is None]
        for cell in missing[: given.most]:
            print(f"{cell.name}: one of {len(plan.cells())} cells", flush=True)
            experiment.run(cell)
        found = {cell: told for cell in plan.cells() if (told := experiment.found(cell)) is not None}
        text = table(plan, found)
        print(text)
        if given.write:
            source = f"\n*`python -m benchmarks.choosing {' '.join(sys.argv[1:])}`.*\n"
            write_between(PAGE, "choosing", text + source)
    except ThreeplyError as error:
        print(error, file=sys.stderr)
        return 1
    print(json.dumps(summary(plan, found)))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

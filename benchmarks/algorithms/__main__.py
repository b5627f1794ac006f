"""What each algorithm of RLHF brings over the fine-tuned model of the last run, and over more fine-tuning.

    python -m benchmarks.algorithms [--names grpo sft] [--questions 400] [--write]
        [--set updates=48] [--seeds 1 2 3] [--split validation] [--without-thresholds]

Each goes on from the same adapter, with as many updates, of as many prompts each: `rlhf.prompts` times
`rlhf.redraws` of them, whether answers are sampled to them, come as pairs, or are the good ones. Then all
are calibrated and asked the same questions, as they are served. With several seeds a row is the mean of as
many trainings from that one adapter. What has been trained under the same settings is not trained again.
Choose by `--split validation`. Prints a table; `--write` puts it into docs/rlhf.md; the last line is one JSON
object.
"""

import argparse
import json
import shlex
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from benchmarks.algorithms.measuring import Row, measured
from benchmarks.algorithms.training import VARIANTS, trained
from benchmarks.pages import write_between
from benchmarks.places import params_with
from benchmarks.seeds import signed_interval
from deploy.errors import ThreeplyError
from tasks.evaluation.markdown import markdown_table
from tasks.machine.progress import duration
from tasks.pages.numbers import DASH, decimals, percent
from tasks.settings import Settings

PAGE = Path("docs/rlhf.md")


def main() -> int:
    """Train what has not been trained, measure all, print the table; exit 1 if something is missing."""
    words = argparse.ArgumentParser(prog="python -m benchmarks.algorithms", description=__doc__)
    words.add_argument("--names", nargs="*", choices=VARIANTS, default=list(VARIANTS))
    words.add_argument("--questions", type=int, default=400, help="of the split (400)")
    words.add_argument(
        "--split", choices=["validation", "test"], default="test", help="whose questions (test)"
    )
    words.add_argument(
        "--set", nargs="*", default=[], metavar="KEY=VALUE", help="of the section rlhf, for all names"
    )
    words.add_argument(
        "--without-thresholds", action="store_true", help="each gives its likeliest answer, not as served"
    )
    words.add_argument("--seeds", nargs="*", type=int, help="of the trainings (that of params.yaml)")
    words.add_argument(
        "--best-of", type=int, default=4, metavar="N", help="answers to choose from (4); 0: none"
    )
    words.add_argument("--write", action="store_true", help=f"write the table into {PAGE}")
    given = words.parse_args()
    try:
        _, settings = params_with(Path("params.yaml"), "rlhf", given.set)
        seeds = given.seeds or [settings.run.seed]
        places = {name: [trained(Path(), name, given.set, seed) for seed in seeds] for name in given.names}
        rows = measured(
            places,
            settings,
            count=given.questions,
            best_of=given.best_of,
            split=given.split,
            calibrated=not given.without_thresholds,
        )
    except ThreeplyError as error:
        print(error, file=sys.stderr)
        return 1
    asked = (
        f"{given.questions} {given.split} questions{', no thresholds' if given.without_thresholds else ''}"
    )
    text = table(rows, settings, asked=asked, seeds=seeds, words=sys.argv[1:])
    print(text)
    if given.write:
        write_between(PAGE, "algorithms", text)
    print(json.dumps({name: asdict(row) for name, row in rows.items()}))
    return 0


def table(
    rows: Mapping[str, Row],
    settings: Settings,
    *,
    asked: str,
    seeds: Sequence[int],
    words: Sequence[str] = (),
) -> str:
    """The rows as Markdown; `asked` says of how many questions, `words` are those of the command line."""
    several = len(seeds) > 1
    parts = sorted({part for row in rows.values() for part in row.parts})
    head = [
        "score", "over fine-tuning", *(["each seed"] if several else []), "over more fine-tuning",
        *parts,
        "abstains rightly", "wrongly", "retention", "KL, nats", "time",
    ]  # fmt: skip
    lines = {
        name: [
            decimals(row.score.mean),
            signed_interval(row.difference),
            *([", ".join(f"{each:+.3f}" for each in row.differences) or DASH] if several else []),
            signed_interval(row.over_control),
            *(signed_interval(row.parts.get(part)) for part in parts),
            percent(row.abstains_rightly),
            percent(row.abstains_wrongly),
            percent(row.retention),
            f"{row.kl:.2f}" if row.kl is not None else DASH,
            duration(row.seconds) if row.seconds is not None else DASH,
        ]
        for name, row in rows.items()
    }
    trained = (
        f"{len(seeds)} trainings of one fine-tuned model, intervals over questions" if several else "one seed"
    )
    return "\n".join(
        [
            "",
            *markdown_table(head, lines),
            "",
            f"{asked}, the same for all, {trained}; paired differences, 95 %. The"
            f" state after {settings.rlhf.updates} updates of {settings.rlhf.drawn_prompts} prompts is shown,"
            f" better or not.{_early(rows)}",
            "",
            f"*`{shlex.join(['python', '-m', 'benchmarks.algorithms', *words])}`.*",
            "",
        ]
    )


def _early(rows: Mapping[str, Row]) -> str:
    """Which of them stopped before their time, and why; each after a blank."""
    return "".join(
        f" {name} stopped after {row.updates}: {row.stopped}." for name, row in rows.items() if row.stopped
    )


if __name__ == "__main__":
    raise SystemExit(main())

"""How often a reward model prefers what people prefer, in conversations or debates that it has not seen.

    python -m benchmarks.preferences.rewards BENCH [--sets harmless arguments] [--set reward.epochs=2]

BENCH is a folder of public preferences (docs/preferences.md). Each set goes through the chain of the profile
`preferences` up to the reward model, which then judges the held-out pairs of that set. Arguments are held out
by debate: they recur in many pairs. What has run is not run again. Prints a table; `--write` puts it into
docs/preferences.md; the last line is one JSON object.
"""

import argparse
import hashlib
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.pages import write_between
from benchmarks.places import DATA, assistant_of, nested, run_chain
from benchmarks.preferences.runs import HELD_OUT, held_out_pairs, prepared
from deploy.engines.chat import load_tokenizer
from deploy.errors import ThreeplyError
from tasks.evaluation.markdown import markdown_table
from tasks.machine.device import set_up_torch
from tasks.machine.settings import overlay
from tasks.pages.numbers import DASH, percent
from tasks.rows.grounding import ground_preferences
from tasks.rows.records import Preference
from tasks.rows.tables import read_table
from tasks.settings import load_settings
from tasks.training.rewards.comparisons import comparisons, differences
from tasks.training.rewards.ensemble import lowest_scores
from tasks.training.rewards.pairs import tokenise
from tasks.training.rewards.quality import quality

PAGE = Path("docs/preferences.md")
HEAD = ("right", "the longer wins", "better is longer", "shorter", "off")
Parted = tuple[list[str], list[str]]


def main() -> int:
    """Train what has not been trained, judge, print the table; exit 1 if a run has failed."""
    words = argparse.ArgumentParser(prog="python -m benchmarks.preferences.rewards", description=__doc__)
    words.add_argument("bench", type=Path, help="folder with the files of the sets")
    words.add_argument("--sets", nargs="+", choices=SETS, default=list(SETS))
    words.add_argument("--set", nargs="+", default=[], metavar="SECTION.KEY=VALUE", help="over the profile")
    words.add_argument("--write", action="store_true", help=f"write the table into {PAGE}")
    given = words.parse_args()
    try:
        told = {
            name: measured(
                Path(), name, SETS[name](given.bench), overlay(OWN.get(name, {}), nested(given.set))
            )
            for name in given.sets
        }
    except (ThreeplyError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    text = table(told, given.set)
    print(text)
    if given.write:
        write_between(PAGE, "rewards", text)
    print(json.dumps(told))
    return 0


def measured(project: Path, name: str, parted: Parted, changed: Mapping[str, Any]) -> dict[str, Any]:
    """What a reward model trained on the first part of the lines knows of the second (`quality`)."""
    pairs, unseen = parted
    place = prepared(project, f"reward-{name}", {"pairs": pairs, HELD_OUT: unseen}, changed)
    run_chain(project, place, "--until", "reward")
    settings, data = load_settings(place / "params.yaml"), place / DATA
    base, folder = data / "models" / "base", data / "models" / "reward"
    assistant = assistant_of(data, settings)
    tokenizer, longest = load_tokenizer(base), settings.reward.max_length
    trained, judged = (
        tokenise(ground_preferences(rows, assistant), tokenizer, max_length=longest)
        for rows in (
            read_table(data / "splits" / "train" / "preferences.parquet", Preference),
            held_out_pairs(data),
        )
    )
    rows = comparisons(judged.rows, longest=longest)
    found = differences(rows, lowest_scores(base, folder, rows, set_up_torch(settings.run)))
    return {
        "trained": min(len(trained.rows), settings.reward.max_rows),
        **quality([found[place] for place in sorted(found)], trained, judged),
    }


def harmless(bench: Path) -> Parted:
    """Anthropic's pairs of replies to people who provoke; the two files share no prompt."""
    train, held_out = (lines(bench / f"hh_harmless_{part}.jsonl") for part in ("train", "val"))
    return train, held_out


def arguments(bench: Path) -> Parted:
    """Arguments in debates, of which people found one more convincing; a third of the debates is held out."""
    every = lines(bench / "ukp_train.jsonl")
    debates = sorted(
        {debate(line) for line in every}, key=lambda name: hashlib.sha256(name.encode()).digest()
    )
    held_out = set(debates[: len(debates) // 3])
    parts: Parted = ([], [])
    for line in every:
        parts[debate(line) in held_out].append(line)
    return parts


def debate(line: str) -> str:
    """The debate of a pair, whichever side its arguments take."""
    return str(json.loads(line)["group"]).split("_", maxsplit=1)[0]


def lines(path: Path) -> list[str]:
    """The lines of a file."""
    return path.read_text(encoding="utf-8").splitlines()


SETS: dict[str, Callable[[Path], Parted]] = {"harmless": harmless, "arguments": arguments}
# Many arguments answer one prompt, and of each prompt one is an example.
OWN: dict[str, dict[str, Any]] = {"arguments": {"validate": {"min_examples": 1}}}


def table(told: Mapping[str, Mapping[str, Any]], changed: Sequence[str] = ()) -> str:
    """A line for each set, as Markdown, with the command that printed it."""
    rows = {
        name: [f"{known['trained']:,}", f"{known['pairs']:,}", *quality_line(known)]
        for name, known in told.items()
    }
    words = ["--sets", *told, *(["--set", *changed] if changed else []), "--write"]
    command = f"python -m benchmarks.preferences.rewards BENCH {' '.join(words)}"
    head = ["learned from", "judged by", *HEAD]
    return "\n".join(["", *markdown_table(head, rows), "", f"One seed. *`{command}`.*", ""])


def quality_line(told: Mapping[str, Any]) -> Sequence[str]:
    """How often it is right, with its interval; a rule by length; both its sides; how far it is too sure."""
    low, high = told["interval"]
    sides = [told["by_length"].get(side) for side in ("better_longer", "better_shorter")]
    length = told["baselines"]["length"]
    longer = length["accuracy"] if "longer" in length["rule"] else 1.0 - length["accuracy"]
    return [
        f"{percent(told['accuracy'])} ({percent(low)} to {percent(high)})",
        percent(longer),
        *(percent(side["accuracy"]) if side else DASH for side in sides),
        percent(told["calibration"]["error"]),
    ]


if __name__ == "__main__":
    raise SystemExit(main())

"""What RLHF on people's opinions brings, judged by a reward model trained on other pairs.

    python -m benchmarks.preferences PAIRS.jsonl HELD_OUT.jsonl [--prompts 200] [--set rlhf.updates=6]

The pairs are parted in halves. One goes through the chain of the profile `preferences`: fine-tuning on the
better answers, a reward model, RLHF. On the other half a second reward model is trained, which judges the
answers of both models to prompts of HELD_OUT; the first one's verdict stands beside it: what it sees alone
was made for it (Gao et al. 2022, arXiv:2210.10760). What has run is not run again. Prints tables; `--write`
puts them into docs/recipes/preferences.md; the last line is one JSON object.
"""

import argparse
import json
import sys
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.pages import write_between
from benchmarks.places import DATA, assistant_of, nested, run_chain
from benchmarks.preferences.judging import Verdict, answers, judged
from benchmarks.preferences.rewards import HEAD, quality_line
from benchmarks.preferences.runs import HELD_OUT, halves, held_out_pairs, judge, prepared
from deploy.errors import ThreeplyError
from tasks.evaluation.markdown import markdown_table
from tasks.machine.device import set_up_torch
from tasks.pages.numbers import DASH, percent
from tasks.rows.grounding import ground_preferences
from tasks.rows.identity import prompt_key
from tasks.scoring.scores import Interval
from tasks.settings import load_settings

PAGE = Path("docs/recipes/preferences.md")
JUDGES = {"judge": "judge: other pairs", "reward": "what it was optimised for"}


def main() -> int:
    """Run what has not been run, judge, print the tables; exit 1 if a run has failed."""
    words = argparse.ArgumentParser(prog="python -m benchmarks.preferences", description=__doc__)
    words.add_argument("pairs", type=Path, help="JSONL of prompt, chosen, rejected")
    words.add_argument("held_out", type=Path, help="the same, of other prompts")
    words.add_argument("--prompts", type=int, default=200, help="that both models answer (200)")
    words.add_argument("--set", nargs="+", default=[], metavar="SECTION.KEY=VALUE", help="over the profile")
    words.add_argument("--write", action="store_true", help=f"write the tables into {PAGE}")
    given = words.parse_args()
    try:
        figures = measured(Path(), given.pairs, given.held_out, nested(given.set), count=given.prompts)
    except ThreeplyError as error:
        print(error, file=sys.stderr)
        return 1
    text = tables(figures)
    print(text)
    if given.write:
        write_between(PAGE, "preferences", text)
    print(json.dumps(figures))
    return 0


def measured(
    project: Path, pairs: Path, held_out: Path, changed: Mapping[str, Any], *, count: int
) -> dict[str, Any]:
    """The figures of both reward models, of RLHF, and who wins by each judge."""
    one, other = halves(pairs.read_text(encoding="utf-8").splitlines())
    unseen = held_out.read_text(encoding="utf-8").splitlines()
    place = prepared(project, "optimised", {"pairs": one, HELD_OUT: unseen}, changed)
    run_chain(project, place, "--until", "rlhf")
    second = prepared(project, "judging", {"pairs": other, HELD_OUT: unseen}, changed)
    run_chain(project, second, "--until", "split")
    judging = judge(second, place)
    settings, data = load_settings(place / "params.yaml"), place / DATA
    device = set_up_torch(settings.run)
    assistant = assistant_of(data, settings)
    asked = {prompt_key(row.prompt): row for row in held_out_pairs(data)}
    prompts = [row.messages for row in ground_preferences(list(asked.values())[:count], assistant)]
    models = {"sft": data / "models" / "sft", "rlhf": data / "models" / "rlhf"}
    told = answers(
        data / "models" / "base", models, prompts, device, tokens=settings.generation.max_new_tokens
    )
    verdicts = {
        name: judged(
            data / "models" / "base",
            adapter,
            prompts,
            told["sft"],
            told["rlhf"],
            device,
            seed=settings.run.seed,
        )
        for name, adapter in {"judge": judging, "reward": data / "models" / "reward"}.items()
    }
    reports = {
        "reward": data / "reports" / "reward.json",
        "judge": second / DATA / "judge.json",
        "rlhf": data / "reports" / "rlhf.json",
    }
    known = {name: json.loads(path.read_text(encoding="utf-8"))["figures"] for name, path in reports.items()}
    return {
        "prompts": len(prompts),
        "reward_models": {name: known[name] for name in ("reward", "judge")},
        "rlhf": known["rlhf"],
        "verdicts": {name: asdict(verdict) for name, verdict in verdicts.items()},
    }


def tables(figures: Mapping[str, Any]) -> str:
    """Who wins by each judge, and how well both reward models know the held-out pairs."""
    heldout = figures["rlhf"]["heldout"]
    rows = {JUDGES[name]: _verdict(Verdict(**told)) for name, told in figures["verdicts"].items()}
    known = {
        name: _known(told.get("test", told["validation"])) for name, told in figures["reward_models"].items()
    }
    return "\n".join(
        [
            "",
            *markdown_table(
                [
                    "RLHF wins over fine-tuning",
                    "where both come to their end",
                    "at equal length",
                    "characters (median) before",
                    "after",
                    "comes to its end before",
                    "after",
                    "changed",
                ],
                rows,
            ),
            "",
            f"{figures['prompts']} prompts, greedy answers, one seed; RLHF moved by {heldout['kl']:.2f} nats"
            f" an answer, by {figures['rlhf']['algorithm']}.",
            "",
            *markdown_table(["test pairs", *HEAD], known),
            "",
            "*`python -m benchmarks.preferences PAIRS HELD_OUT --write`.*",
            "",
        ]
    )


def _verdict(verdict: Verdict) -> list[str]:
    return [
        _share(verdict.wins),
        _share(verdict.both_ended) if verdict.both_ended else DASH,
        percent(verdict.at_equal_length),
        *(f"{length:.0f}" for length in verdict.characters),
        *(percent(share) for share in verdict.ended),
        percent(verdict.changed),
    ]


def _share(wins: Interval | Mapping[str, float]) -> str:
    told = wins if isinstance(wins, Mapping) else asdict(wins)
    return f"{percent(told['mean'])} ({percent(told['low'])} to {percent(told['high'])})"


def _known(told: Mapping[str, Any]) -> list[str]:
    return [str(told["pairs"]), *quality_line(told)]


if __name__ == "__main__":
    raise SystemExit(main())

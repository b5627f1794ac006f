"""What a bundle does where a document that it shows hides an instruction.

    python -m benchmarks.injection [--bundle data/bundle]

Each attack of `attacks.py` stands in the best passage for a question of the test split, behind its text, as a
document that was added to the server has it. Each arm answers the question with and without it. Prints how
often the attack was obeyed, with 95 % intervals, and what the answers scored; the last line is one JSON
object.
"""

import argparse
import json
import sys
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import fmean

from benchmarks.injection.attacks import ATTACKS, Attack, obeyed
from deploy.answer import Layers
from deploy.assistant import Assistant
from deploy.bundle import PLAIN, load_bundle
from deploy.errors import ThreeplyError
from deploy.messages import Message
from deploy.prompts.template import PromptTemplate, Source, read_template
from tasks.evaluation.markdown import markdown_table
from tasks.pages.numbers import decimals, percent
from tasks.rows.records import Example
from tasks.rows.tables import read_table
from tasks.scoring.scores import score
from tasks.training.rewards.quality import accuracy


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A question with the attack that stands in its best passage, the passages, and what they cover of it."""

    example: Example
    attack: Attack
    sources: tuple[Source, ...]
    coverage: float

    @property
    def poisoned(self) -> tuple[Source, ...]:
        """The passages with the attack in the best of them."""
        best, *others = self.sources
        return (replace(best, text=f"{best.text}\n\n{self.attack.text}"), *others)


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What an arm did: whether it obeyed each attack, and what its answers score without them and with."""

    arm: str
    obeyed: tuple[bool, ...]
    clean: float
    attacked: float


def main() -> int:
    """Ask all arms; exit 1 if there is no bundle or no test split."""
    words = argparse.ArgumentParser(prog="python -m benchmarks.injection", description=__doc__)
    words.add_argument("--bundle", type=Path, default=Path("data/bundle"), metavar="DIR")
    given = words.parse_args()
    try:
        assistant = load_bundle(given.bundle)
        path = Path("data/splits/test/examples.parquet")
        if not path.exists():
            raise ThreeplyError(f"{path} is not there: run threeply run --until split first")
        asked = questions(assistant, list(read_table(path, Example)))
        plain = read_template(given.bundle / "prompts" / f"{PLAIN}.prompty")
        arms = {"base + retrieval": ("base", plain)}
        for model in assistant.models:
            arms[f"{model} + prompt + retrieval"] = (model, assistant.template)
        found = [measure(arm, assistant, model, template, asked) for arm, (model, template) in arms.items()]
    except ThreeplyError as error:
        print(error, file=sys.stderr)
        return 1
    print("\n".join([*table(found), "", *by_kind(found, asked)]))
    print(json.dumps({each.arm: fmean(each.obeyed) for each in found}))
    return 0


def questions(assistant: Assistant, examples: Sequence[Example]) -> list[Asked]:
    """A question of its own for each attack, of those for which something is found."""
    chosen = [example for example in examples if len(example.prompt) == 1][: 2 * len(ATTACKS)]
    composed = assistant.compose([each.prompt for each in chosen], layers=Layers())
    with_sources = [(example, each) for example, each in zip(chosen, composed, strict=True) if each.sources]
    return [
        Asked(example=example, attack=attack, sources=each.sources, coverage=each.coverage or 0.0)
        for attack, (example, each) in zip(ATTACKS, with_sources, strict=False)
    ]


def measure(
    arm: str,
    assistant: Assistant,
    model: str,
    template: PromptTemplate,
    asked: Sequence[Asked],
) -> Found:
    """What `model` makes of all questions, without the attacks and with them."""
    sampling = replace(assistant.sampling, temperature=0.0)

    def answers(shown: Sequence[Sequence[Source]]) -> list[str]:
        prompts: list[Sequence[Message]] = [
            template.render(each.example.prompt, sources) for each, sources in zip(asked, shown, strict=True)
        ]
        coverage = [each.coverage for each in asked]
        generated = assistant.engine.generate(prompts, model=model, sampling=sampling, coverage=coverage)
        return [each.text for each in generated]

    def scored(texts: Sequence[str]) -> float:
        return fmean(score(each.example, text) for each, text in zip(asked, texts, strict=True))

    clean = answers([each.sources for each in asked])
    attacked = answers([each.poisoned for each in asked])
    return Found(
        arm=arm,
        obeyed=tuple(map(obeyed, attacked)),
        clean=scored(clean),
        attacked=scored(attacked),
    )


def table(found: Sequence[Found]) -> list[str]:
    """One row for each arm."""
    rows = {}
    for each in found:
        low, high = accuracy(each.obeyed)["interval"]
        told = f"{sum(each.obeyed)} of {len(each.obeyed)} ({percent(low)} to {percent(high)})"
        rows[each.arm] = [told, decimals(each.clean), decimals(each.attacked)]
    return markdown_table(["", "obeyed", "score without the attack", "with it"], rows)


def by_kind(found: Sequence[Found], asked: Sequence[Asked]) -> list[str]:
    """How often each wish and each dress was obeyed, of the attacks on each arm."""
    counts: dict[tuple[str, str], dict[str, list[bool]]] = defaultdict(lambda: defaultdict(list))
    for each in found:
        for question, done in zip(asked, each.obeyed, strict=True):
            counts["wish", question.attack.wish][each.arm].append(done)
            counts["dress", question.attack.dress][each.arm].append(done)
    arms = [each.arm for each in found]
    rows = {
        f"{kind}: {name}": [f"{sum(of[arm])} of {len(of[arm])}" for arm in arms]
        for (kind, name), of in sorted(counts.items(), key=lambda item: item[0][0])
    }
    return markdown_table(["", *arms], rows)


if __name__ == "__main__":
    raise SystemExit(main())

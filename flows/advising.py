"""The command `threeply advise`: asks for what nobody has told, prints the advice."""

import argparse
import json
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

from deploy.errors import SettingsError
from tasks.advise import Advice, advise
from tasks.advise.detect import detect, this_machine
from tasks.advise.facts import GOALS, Facts, Goal, Machine
from tasks.advise.needs import needs
from tasks.advise.rules import LAYERS
from tasks.settings import Settings

BASE = Path("data/models/base")
ASKED = ("goal", "documents", "examples", "preferences", "minutes")
QUESTIONS = {
    "goal": "What is to be learned? " + "; ".join(f"{name}: {text}" for name, text in GOALS.items()),
    "documents": "How many documents hold the knowledge?",
    "examples": "How many questions with answers are there?",
    "preferences": "How many preference pairs (a better and a worse answer)?",
    "minutes": "How many minutes may training take?",
}
_SIZES = {"": 1.0, "k": 1e3, "m": 1e6, "b": 1e9}


def add_flags(parser: argparse.ArgumentParser) -> None:
    """The words that `threeply advise` understands."""
    parser.add_argument("--goal", metavar="GOAL", help=f"one of {', '.join(GOALS)}")
    parser.add_argument("--documents", metavar="N", help="documents that hold the knowledge")
    parser.add_argument("--examples", metavar="N", help="questions with answers")
    parser.add_argument("--preferences", metavar="N", help="preference pairs")
    parser.add_argument("--minutes", metavar="M", help="what training may take")
    parser.add_argument("--parameters", metavar="N", help="size of the base model, such as 135M or 7B")
    parser.add_argument("--cores", metavar="N", help="instead of those of this machine")
    parser.add_argument("--memory", metavar="GIB", help="instead of that of this machine")
    parser.add_argument("--gpu-memory", metavar="GIB", help="of a GPU to train on; 0: none")
    parser.add_argument("--json", action="store_true", help="print one JSON object, and ask nothing")


def give_advice(
    root: Path, settings: Settings, words: argparse.Namespace, *, ask: Callable[[str], str] | None = None
) -> Advice:
    """Print the advice for the project in `root`; `ask` puts a question to a person, if there is one.

    Raises:
        SettingsError: a value is none that can be.
    """
    given = {
        name: READ[name](getattr(words, name))
        for name in (*ASKED, "parameters")
        if getattr(words, name) is not None
    }
    machine = _machine(words)
    facts = detect(root, settings, machine, given)
    missing = [name for name in ASKED if name not in given]
    if ask is not None and missing and not words.json:
        for name in missing:
            given[name] = _asked(name, getattr(facts, name), ask)
        facts = detect(root, settings, machine, given)
    advice = advise(facts, needs(facts, settings, root / BASE if facts.base_is_there else None))
    if words.json:
        print(json.dumps(advice.as_dict(), indent=2))
    else:
        print("\n".join(lines(advice, facts)))
    return advice


def lines(advice: Advice, facts: Facts) -> list[str]:
    """The advice for people."""
    machine = facts.machine
    gpu = f", a GPU with {machine.gpu_mib / 1024:.0f} GiB" if machine.gpu_mib else ", no GPU"
    told = [
        f"Goal: {facts.goal}. {facts.documents:,} documents, {facts.examples:,} questions with answers, "
        f"{facts.preferences:,} preference pairs.",
        f"Machine: {machine.cores} cores, {machine.memory_mib / 1024:.1f} GiB free{gpu}. "
        f"Base: {facts.parameters / 1e6:,.0f}M parameters. Training may take {facts.minutes:g} minutes.",
        *(f"Assumed: {text}." for text in advice.assumed),
        "",
    ]
    for decision in advice.decisions:
        told.append(f"{'yes' if decision.build else 'no':<4}{LAYERS[decision.layer]}: {decision.reason}.")
        if decision.layer == "sft" and decision.build and advice.method is not None:
            told.append(f"      method {advice.method.name}: {advice.method.reason}.")
    told.append("")
    if advice.method is not None and advice.training is not None:
        needed = advice.method.needs
        told += [
            f"Memory: {needed.peak_mib:,} MiB at the peak ({needed.basis}).",
            f"Time:   {advice.minutes:g} minutes of training, {advice.training.minutes:g} of them "
            f"fine-tuning on {advice.training.rows:,} rows ({advice.training.basis}).",
            "",
            "As profiles/advised.yaml, for `threeply run --profile advised`:",
            "",
        ]
    else:
        told += [
            "Nothing is to be trained: `threeply run --until index` prepares the documents. As a profile:",
            "",
        ]
    return [*told, _yaml(advice.params)]


def _asked(name: str, found: Any, ask: Callable[[str], str]) -> Any:
    """What a person says, asked again until it can be; `found` if nothing is said."""
    while said := ask(f"{QUESTIONS[name]} [{found}] ").strip():
        try:
            return READ[name](said)
        except SettingsError as error:
            print(error)
    return found


def asker() -> Callable[[str], str] | None:
    """How to put a question, if a person sits at the terminal."""
    return _answer if sys.stdin.isatty() and sys.stdout.isatty() else None


def _answer(question: str) -> str:
    try:
        return input(question)
    except EOFError:
        return ""


def _machine(words: argparse.Namespace) -> Machine:
    found = this_machine()
    memory, gpu = words.memory, words.gpu_memory
    return Machine(
        cores=found.cores if words.cores is None else _count("cores", words.cores, least=1),
        memory_mib=found.memory_mib if memory is None else round(1024 * _number("memory", memory)),
        gpu_mib=found.gpu_mib if gpu is None else round(1024 * _number("gpu-memory", gpu, least=0.0)),
    )


def _goal(value: str) -> Goal:
    if value not in get_args(Goal):
        raise SettingsError(f"--goal {value!r} is wrong; it should be one of {', '.join(GOALS)}")
    return value  # type: ignore[return-value]


def _count(name: str, value: str, *, least: int = 0) -> int:
    if not re.fullmatch(r"\d+", value) or int(value) < least:
        raise SettingsError(f"--{name} {value!r} is wrong; it should be a whole number of {least} or more")
    return int(value)


def _number(name: str, value: str, *, least: float | None = None) -> float:
    try:
        number = float(value)
    except ValueError:
        number = float("nan")
    if not (number > 0.0 if least is None else number >= least) or number == float("inf"):
        bound = "above 0" if least is None else f"of {least:g} or more"
        raise SettingsError(f"--{name} {value!r} is wrong; it should be a number {bound}")
    return number


def _parameters(value: str) -> int:
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([kmb]?)", value.lower())
    if found is None or float(found[1]) == 0.0:
        raise SettingsError(
            f"--parameters {value!r} is wrong; it should be a size such as 135M, 7B or 134515008"
        )
    return round(float(found[1]) * _SIZES[found[2]])


READ: dict[str, Callable[[str], Any]] = {
    "goal": _goal,
    "documents": lambda value: _count("documents", value),
    "examples": lambda value: _count("examples", value),
    "preferences": lambda value: _count("preferences", value),
    "minutes": lambda value: _number("minutes", value),
    "parameters": _parameters,
}


def _yaml(values: Any) -> str:
    import yaml

    return str(yaml.safe_dump(dict(values), sort_keys=False)).rstrip()

"""The command `threeply`: the words that it understands, and how it ends."""

import argparse
import os
import signal
import sys
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NoReturn

from deploy.errors import ThreeplyError
from flows import commands

LOG = Path(".threeply/logs/threeply.log")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command that the words ask for; the exit code tells how it went."""
    words = parser().parse_args(arguments)
    command: Callable[[argparse.Namespace], int] = words.command
    signal.signal(signal.SIGTERM, _terminated)
    try:
        return command(words)
    except ThreeplyError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print(f"\nthreeply {words.name} was interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except Exception as error:
        print(f"error: {type(error).__name__}: {error}\n{_kept(traceback.format_exc())}", file=sys.stderr)
        return 1


def parser() -> argparse.ArgumentParser:
    """The words that `threeply` understands."""
    top = argparse.ArgumentParser(
        prog="threeply",
        description="Adapt a language model in three layers, measure what each adds, serve the result.",
        epilog="Every command but clean checks params.yaml first and answers with all faults at once.",
    )
    names = top.add_subparsers(dest="name", metavar="COMMAND", required=True)

    def add(
        name: str, command: Callable[[argparse.Namespace], int], text: str, *shared: argparse.ArgumentParser
    ) -> argparse.ArgumentParser:
        told = text[0].upper() + text[1:] + "."
        added = names.add_parser(name, help=text, description=told, parents=shared)
        added.set_defaults(command=command)
        return added

    placed = argparse.ArgumentParser(add_help=False)
    placed.add_argument("--profile", metavar="NAME", help="settings of profiles/NAME.yaml over params.yaml")
    placed.add_argument("--place", type=Path, metavar="DIR", help="run in a copy of the project (build/NAME)")
    add("check", commands.check, "check the settings and the prompt; exit 2 and all faults if some are wrong")
    run = add(
        "run",
        commands.run,
        "bring everything up to date: rows, index, adapters, ledger (what each layer adds), report, bundle",
        placed,
    )
    run.add_argument(
        "--only", nargs="+", metavar="STAGE", help="run these stages alone, without those before"
    )
    run.add_argument("--until", metavar="STAGE", help="run up to this stage and no further")
    run.add_argument("--timeout", type=float, metavar="SECONDS", help="stop a stage that takes longer")
    run.add_argument("--no-release", action="store_true", help="leave the served bundle as it is")
    text = "train every method of `compare` on your rows, and measure them"
    compare = add("compare", commands.compare, text, placed)
    compare.add_argument("--timeout", type=float, metavar="SECONDS", help="stop a trial that takes longer")
    from flows.advising import add_flags

    add_flags(
        add("advise", commands.advise, "say which layers and which method suit your goal, data and machine")
    )
    from flows import (
        cleaning,
        documents,
        feedback,
        gating,
        keys,
        labelling,
        merging,
        prompting,
        questioning,
        retrieving,
        rollback,
        rows,
        schedule,
        serving,
    )

    rows.add_flags(add("rows", commands.rows, "say what became of every row, and of a single one (why ID)"))
    gating.add_flags(
        add("gate", commands.gate, "try one file before a run, and say whether the gate would let it pass")
    )
    text = "show what the prompt template makes of a question and two sources"
    prompting.add_flags(add("prompt", commands.prompt, text))
    text = "say how often retrieval finds the passage that answers, now and with other settings"
    retrieving.add_flags(add("retrieval", commands.retrieval, text))
    text = "make a test set of your own: draw documents, ask questions, check them"
    questioning.add_flags(add("test-set", commands.test_set, text))
    text = "let people or a model rank answers of the tuned model, and read the rankings back"
    labelling.add_flags(add("label", commands.label, text))
    text = "train a head for labels, on texts (classify) or pictures (images)"
    recipe = add("recipe", commands.recipe, text, placed)
    recipe.add_argument("recipe", choices=("classify", "images"), help="its section of params.yaml says how")
    recipe.add_argument("--timeout", type=float, metavar="SECONDS", help="stop a method that takes longer")
    text = "serve the assistant: a page and an OpenAI-compatible API"
    serving.add_flags(add("serve", commands.serve, text))
    text = "add, list and delete documents that the server answers from, beside those of the bundle"
    documents.add_flags(add("documents", commands.documents, text))
    feedback.add_flags(add("feedback", commands.feedback, "show and export what people think of the answers"))
    keys.add_flags(add("key", commands.key, "make, show and withdraw the API keys of the server"))
    add("release", commands.release, "verify the bundle, ask it a question, and serve it from now on")
    rollback.add_flags(add("rollback", commands.rollback, "go back to an earlier release that is kept"))
    text = "write a tuned model as one folder without an adapter, for other servers"
    merging.add_flags(add("merge", commands.merge, text))
    add("report", commands.report, "print the ledger and where the report is")
    add("status", commands.status, "say which stages are stale, and why")
    schedule.add_flags(
        add("schedule", commands.schedule, "keep the flows ready for Prefect, on a schedule if one is given")
    )
    cleaning.add_flags(add("clean", commands.clean, "delete what runs have made, the models' cache excepted"))
    return top


def _kept(told: str) -> str:
    """Where the traceback is: in a file, or right here if a service may write none."""
    try:
        LOG.parent.mkdir(parents=True, exist_ok=True)
        LOG.write_text(told, encoding="utf-8")
    except OSError:
        return told
    return f"The traceback is in {LOG}."


def _terminated(*_: object) -> NoReturn:
    """End like an interrupt does, so that children are ended first."""
    raise KeyboardInterrupt

"""The command `threeply`: checks the settings, then runs, serves, releases or reports.

Heavy libraries are imported inside the commands: `--help` and `check` answer at once.
"""

import argparse
import os
import signal
import sys
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NoReturn

from deploy.errors import ThreeplyError
from flows.params import PARAMS

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
    commands = top.add_subparsers(dest="name", metavar="COMMAND", required=True)

    def add(
        name: str, command: Callable[[argparse.Namespace], int], text: str, *shared: argparse.ArgumentParser
    ) -> argparse.ArgumentParser:
        told = text[0].upper() + text[1:] + "."
        added = commands.add_parser(name, help=text, description=told, parents=shared)
        added.set_defaults(command=command)
        return added

    placed = argparse.ArgumentParser(add_help=False)
    placed.add_argument("--profile", metavar="NAME", help="settings of profiles/NAME.yaml over params.yaml")
    placed.add_argument("--place", type=Path, metavar="DIR", help="run in a copy of the project (build/NAME)")
    add("check", _check, "check the settings and the prompt; exit 2 and all faults if some are wrong")
    run = add(
        "run",
        _run,
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
    compare = add("compare", _compare, text, placed)
    compare.add_argument("--timeout", type=float, metavar="SECONDS", help="stop a trial that takes longer")
    from flows.advising import add_flags

    add_flags(add("advise", _advise, "say which layers and which method suit your goal, data and machine"))
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

    rows.add_flags(add("rows", _rows, "say what became of every row, and of a single one (why ID)"))
    gating.add_flags(
        add("gate", _gate, "try one file before a run, and say whether the gate would let it pass")
    )
    text = "show what the prompt template makes of a question and two sources"
    prompting.add_flags(add("prompt", _prompt, text))
    text = "say how often retrieval finds the passage that answers, now and with other settings"
    retrieving.add_flags(add("retrieval", _retrieval, text))
    text = "make a test set of your own: draw documents, ask questions, check them"
    questioning.add_flags(add("test-set", _test_set, text))
    text = "let people rank answers of the tuned model: write them into a file, read their rankings back"
    labelling.add_flags(add("label", _label, text))
    text = "train a head for labels, on texts (classify) or pictures (images)"
    recipe = add("recipe", _recipe, text, placed)
    recipe.add_argument("recipe", choices=("classify", "images"), help="its section of params.yaml says how")
    recipe.add_argument("--timeout", type=float, metavar="SECONDS", help="stop a method that takes longer")
    text = "serve the assistant: a page and an OpenAI-compatible API"
    serving.add_flags(add("serve", _serve, text))
    text = "add, list and delete documents that the server answers from, beside those of the bundle"
    documents.add_flags(add("documents", _documents, text))
    feedback.add_flags(add("feedback", _feedback, "show and export what people think of the answers"))
    keys.add_flags(add("key", _key, "make, show and withdraw the API keys of the server"))
    add("release", _release, "verify the bundle, ask it a question, and serve it from now on")
    rollback.add_flags(add("rollback", _rollback, "go back to an earlier release that is kept"))
    text = "write a tuned model as one folder without an adapter, for other servers"
    merging.add_flags(add("merge", _merge, text))
    add("report", _report, "print the ledger and where the report is")
    add("status", _status, "say which stages are stale, and why")
    schedule.add_flags(
        add("schedule", _schedule, "keep the flows ready for Prefect, on a schedule if one is given")
    )
    cleaning.add_flags(add("clean", _clean, "delete what runs have made, the models' cache excepted"))
    return top


def _settings() -> Any:
    from tasks.settings import load_settings

    return load_settings(PARAMS)


def _check(_: argparse.Namespace) -> int:
    from deploy.prompts.sample import check_template

    settings = _settings()
    prompt = check_template(settings.prompt.template)
    print(f"{PARAMS} is fine: {len(settings.sections())} sections, every value known and in range")
    print(f"the prompt {prompt.name} is fine: threeply prompt shows it")
    return 0


def _run(words: argparse.Namespace) -> int:
    from flows.running import Wish, run

    wish = Wish(
        profile=words.profile,
        place=words.place,
        only=tuple(words.only or ()),
        until=words.until,
        timeout=words.timeout,
        publishes=not (words.no_release or words.only or words.until),
    )
    return run(Path(), wish)


def _compare(words: argparse.Namespace) -> int:
    from flows.running import Wish, compare

    return compare(Path(), Wish(profile=words.profile, place=words.place, timeout=words.timeout))


def _advise(words: argparse.Namespace) -> int:
    from flows.advising import asker, give_advice

    give_advice(Path(), _settings(), words, ask=asker())
    return 0


def _rows(words: argparse.Namespace) -> int:
    from flows.rows import trace_rows

    return 0 if trace_rows(Path(), _settings(), words) else 1


def _gate(words: argparse.Namespace) -> int:
    from flows.gating import try_file

    return 0 if try_file(Path(), _settings(), words) else 1


def _prompt(words: argparse.Namespace) -> int:
    from flows.prompting import show_prompt

    chosen = _settings().prompt.template
    show_prompt(Path(), words.template or chosen, question=words.question, sources=not words.no_sources)
    return 0


def _retrieval(words: argparse.Namespace) -> int:
    from flows.retrieving import show_retrieval

    show_retrieval(Path(), _settings(), words)
    return 0


def _test_set(words: argparse.Namespace) -> int:
    from flows.questioning import make_test_set

    make_test_set(Path(), words, seed=_settings().run.seed)
    return 0


def _label(words: argparse.Namespace) -> int:
    from flows.labelling import label

    _settings()
    label(Path(), words)
    return 0


def _merge(words: argparse.Namespace) -> int:
    from flows.merging import merge

    _settings()
    merge(Path(), words.model, words.into)
    return 0


def _recipe(words: argparse.Namespace) -> int:
    from flows.running import Wish, recipe

    wish = Wish(profile=words.profile, place=words.place, timeout=words.timeout)
    return recipe(Path(), wish, words.recipe)


def _documents(words: argparse.Namespace) -> int:
    from flows.documents import change_documents

    change_documents(_settings(), words)
    return 0


def _feedback(words: argparse.Namespace) -> int:
    from flows.feedback import take_feedback

    take_feedback(_settings(), words)
    return 0


def _key(words: argparse.Namespace) -> int:
    from flows.keys import change_keys

    change_keys(Path(), _settings(), words)
    return 0


def _serve(words: argparse.Namespace) -> int:
    from flows.serving import serve_bundle, server_settings

    serve_bundle(server_settings(PARAMS, os.environ), words)
    return 0


def _release(_: argparse.Namespace) -> int:
    from flows.running import publish

    _settings()
    return publish(Path())


def _rollback(words: argparse.Namespace) -> int:
    from flows.rollback import roll_back

    roll_back(Path(), _settings().serve, words)
    return 0


def _report(_: argparse.Namespace) -> int:
    from flows.summary import print_summary

    _settings()
    print_summary(Path())
    return 0


def _status(_: argparse.Namespace) -> int:
    from flows.board import brief
    from flows.graph import load_graph, prepare, stale

    _settings()
    prepare(Path())
    graph = load_graph(Path())
    changed = stale(Path(), graph)
    touched: set[str] = set()
    for name, needs in graph.stages.items():
        behind = [needed for needed in needs if needed in touched]
        if name in changed or behind:
            touched.add(name)
        why = brief(changed.get(name, ())) or (f"after {', '.join(behind)}" if behind else "")
        print(f"{name:<10} {'stale' if name in touched else 'up to date':<11} {why}".rstrip())
    print(f"\n{len(touched)} of {len(graph.stages)} stages would run; start them with: threeply run")
    return 0


def _schedule(words: argparse.Namespace) -> int:
    from flows.schedule import keep_ready

    _settings()
    keep_ready(Path(), words.cron)
    return 0


def _clean(words: argparse.Namespace) -> int:
    from flows.cleaning import clean

    for path in clean(Path(), everything=words.all):
        print(f"deleted {path}")
    return 0


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

"""What each command of `threeply` does with its words; each gives its exit code, 0 where all is well.

Heavy libraries are imported inside: `--help` and `check` answer at once.
"""

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flows.params import PARAMS

if TYPE_CHECKING:
    from deploy.settings import ServeSettings


def _settings() -> Any:
    from tasks.settings import load_settings

    return load_settings(PARAMS)


def _server() -> "ServeSettings":
    """The settings of the server, as the variables that it is started with have them."""
    from flows.serving import server_settings

    return server_settings(PARAMS, os.environ)


def check(_: argparse.Namespace) -> int:
    """Check the settings and the prompt."""
    from deploy.prompts.sample import check_template

    settings = _settings()
    prompt = check_template(settings.prompt.template)
    print(f"{PARAMS} is fine: {len(settings.sections())} sections, every value known and in range")
    print(f"the prompt {prompt.name} is fine: threeply prompt shows it")
    return 0


def run(words: argparse.Namespace) -> int:
    """Bring everything up to date."""
    from flows import running

    wish = running.Wish(
        profile=words.profile,
        place=words.place,
        only=tuple(words.only or ()),
        until=words.until,
        timeout=words.timeout,
        publishes=not (words.no_release or words.only or words.until),
    )
    return running.run(Path(), wish)


def compare(words: argparse.Namespace) -> int:
    """Train every method on the rows, and measure them."""
    from flows import running

    wish = running.Wish(profile=words.profile, place=words.place, timeout=words.timeout)
    return running.compare(Path(), wish)


def advise(words: argparse.Namespace) -> int:
    """Say which layers and which method suit."""
    from flows.advising import asker, give_advice

    give_advice(Path(), _settings(), words, ask=asker())
    return 0


def rows(words: argparse.Namespace) -> int:
    """Say what became of rows, or change some."""
    from flows.rows import trace_rows

    return 0 if trace_rows(Path(), _settings(), words) else 1


def gate(words: argparse.Namespace) -> int:
    """Try a file before a run."""
    from flows.gating import try_file

    return 0 if try_file(Path(), _settings(), words) else 1


def prompt(words: argparse.Namespace) -> int:
    """Show what the template makes of a question."""
    from flows.prompting import show_prompt

    chosen = _settings().prompt.template
    show_prompt(Path(), words.template or chosen, question=words.question, sources=not words.no_sources)
    return 0


def retrieval(words: argparse.Namespace) -> int:
    """Say how often retrieval finds the passage."""
    from flows.retrieving import show_retrieval

    show_retrieval(Path(), _settings(), words)
    return 0


def test_set(words: argparse.Namespace) -> int:
    """Make a test set of the user's own."""
    from flows.questioning import make_test_set

    make_test_set(Path(), words, seed=_settings().run.seed)
    return 0


def label(words: argparse.Namespace) -> int:
    """Let people rank answers."""
    from flows import labelling

    _settings()
    labelling.label(Path(), words)
    return 0


def merge(words: argparse.Namespace) -> int:
    """Write a tuned model as one folder."""
    from flows import merging

    _settings()
    merging.merge(Path(), words.model, words.into)
    return 0


def recipe(words: argparse.Namespace) -> int:
    """Train a head for labels."""
    from flows import running

    wish = running.Wish(profile=words.profile, place=words.place, timeout=words.timeout)
    return running.recipe(Path(), wish, words.recipe)


def documents(words: argparse.Namespace) -> int:
    """Change the documents that the server answers from."""
    from flows.documents import change_documents

    change_documents(_server(), words)
    return 0


def feedback(words: argparse.Namespace) -> int:
    """Show or export what people think."""
    from flows.feedback import take_feedback

    take_feedback(_server(), words)
    return 0


def key(words: argparse.Namespace) -> int:
    """Make, show or withdraw API keys."""
    from flows.keys import change_keys

    change_keys(Path(), _server(), words)
    return 0


def serve(words: argparse.Namespace) -> int:
    """Serve the assistant."""
    from flows.serving import serve_bundle

    serve_bundle(_server(), words)
    return 0


def release(_: argparse.Namespace) -> int:
    """Serve the bundle from now on, once it has answered."""
    from flows.running import publish

    _settings()
    return publish(Path())


def rollback(words: argparse.Namespace) -> int:
    """Go back to an earlier release."""
    from flows.rollback import roll_back

    roll_back(Path(), _server(), words)
    return 0


def report(_: argparse.Namespace) -> int:
    """Print the ledger and where the report is."""
    from flows.summary import print_summary

    _settings()
    print_summary(Path())
    return 0


def status(_: argparse.Namespace) -> int:
    """Say which stages are stale, and why."""
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


def schedule(words: argparse.Namespace) -> int:
    """Keep the flows ready for Prefect."""
    from flows.schedule import keep_ready

    _settings()
    keep_ready(Path(), words.cron)
    return 0


def clean(words: argparse.Namespace) -> int:
    """Delete what runs have made."""
    from flows import cleaning

    for path in cleaning.clean(Path(), everything=words.all):
        print(f"deleted {path}")
    return 0

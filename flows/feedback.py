"""The command `threeply feedback`: shows what people think of the answers, and hands it to training."""

import argparse
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from deploy.atomic import write_text
from deploy.errors import FeedbackError, SettingsError
from deploy.messages import last_question

if TYPE_CHECKING:
    from deploy.feedback.store import FeedbackStore, Rated
    from deploy.settings import ServeSettings

EXPORTED = Path("sources/feedback.jsonl")
_SHOWN = 60  # characters of a question


def add_flags(parser: argparse.ArgumentParser) -> None:
    """The words that `threeply feedback` understands."""
    ways = parser.add_subparsers(dest="way", metavar="WAY", required=True)
    ways.add_parser("list", help="show each rating, and how many there are of each model")
    text = "write them as a source of preferences, instead of what the file holds"
    export = ways.add_parser("export", help=text, description=f"{text.capitalize()}.")
    export.add_argument(
        "file", type=Path, nargs="?", default=EXPORTED, metavar="FILE", help=f".jsonl ({EXPORTED})"
    )
    delete = ways.add_parser("delete", help="delete a rating; what was exported before still has it")
    delete.add_argument("answer", metavar="ID", help="of the answer: chatcmpl-...")


def take_feedback(settings: "ServeSettings", words: argparse.Namespace) -> None:
    """Do what `words` say with the ratings.

    Raises:
        SettingsError: no folder is set for them, or the file to write is none that `collect` reads.
        FeedbackError: nobody has rated an answer, there is no such rating, or the file is damaged.
    """
    if words.way == "export" and words.file.suffix != ".jsonl":
        raise SettingsError(f"{words.file} is no name for what is exported; it should end in .jsonl")
    with opened(settings) as store:
        if words.way == "list":
            show(store.all())
        elif words.way == "export":
            export(store.all(), words.file)
        elif store.delete(words.answer):
            print(f"the rating of {words.answer} is deleted; export anew, so that training forgets it, too")
        else:
            raise FeedbackError(f"no answer called {words.answer!r} was rated; see threeply feedback list")


@contextmanager
def opened(settings: "ServeSettings") -> "Iterator[FeedbackStore]":
    """The ratings that a server keeps, whether it runs or not.

    Raises:
        SettingsError: serve.feedback is null.
        FeedbackError: there is no file of them, or it is damaged.
    """
    from deploy.feedback.store import FILE, FeedbackStore

    folder: Path | None = settings.feedback
    if folder is None:
        raise SettingsError("serve.feedback is null; set it to a folder, such as .threeply/feedback")
    if not (folder / FILE).exists():
        raise FeedbackError(
            f"nobody has rated an answer yet: {folder / FILE} is not there; threeply serve asks"
        )
    store = FeedbackStore(folder)
    try:
        yield store
    finally:
        store.close()


def show(rated: "Sequence[Rated]") -> None:
    """Print each rating, and their counts by model."""
    for each in rated:
        words = " ".join(last_question(each.answer.conversation).split())[:_SHOWN]
        # No terminal is to obey what somebody asked.
        question = "".join(letter if letter.isprintable() else "?" for letter in words)
        thumb = each.rating if each.better is None else f"{each.rating} (better)"
        print(f"{each.answer.id}  {each.answer.model:<5} {thumb:<13} {question}")
    counts = Counter((each.answer.model, each.rating) for each in rated)
    for model in sorted({model for model, _ in counts}):
        print(f"{model}: {counts[model, 'up']} up, {counts[model, 'down']} down")
    corrected = sum(each.better is not None for each in rated)
    print(f"{len(rated)} ratings, {corrected} of them with a better answer")


def export(rated: "Sequence[Rated]", file: Path) -> None:
    """Write the ratings as rankings of the answers to each conversation, and say what makes no pair yet."""
    from tasks.prepare.collect.feedback import unpaired
    from tasks.prepare.rankings import as_lines, rankings

    found = rankings(rated)
    write_text(file, as_lines(found))
    lone = Counter(reason for each in found if (reason := unpaired(each)))
    print(f"{file} has {len(found)} conversations of {len(rated)} ratings")
    if lone:
        told = ", ".join(f"{reason} {count}" for reason, count in sorted(lone.items()))
        print(f"{lone.total()} of them make no pair yet ({told}): a better answer, or another thumb, would")
    print(f"name it in params.yaml under collect.sources: {{kind: feedback, path: {file.as_posix()}}}")

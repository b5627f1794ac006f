"""Replay: general rows among those of the task, so that what the model could do is not unlearned.

The user's own rows of the task `general` come first; those that are missing the base model writes itself.
General rows are asked as the ledger's first row asks: without the assistant's prompt and without sources. So
what is learnt of the task stays bound to the prompt that it is served with.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deploy.atomic import write_json
from deploy.files import read_json
from tasks.errors import TrainingError
from tasks.rows.grounding import Grounded
from tasks.rows.records import BY_MODEL, GENERAL_TASK, Example, Learned
from tasks.rows.reports import RowCount, row_counts
from tasks.rows.sampling import stratified
from tasks.scoring.probe import overlaps, probe_grams
from tasks.training.tuning.learned import left_out
from tasks.training.tuning.self_synthesis import ANSWER, Talks, write_talks
from tasks.training.tuning.tokens import NO_ROOM, Tokenised, tokenise

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

IN_OWN = "the probe of retention has words in a row that your row has"
TOO_MANY = "more than sft.replay asks for"
TOO_LONG = f"longer than sft.max_length, or than the {ANSWER} tokens that are written"
WRITTEN = "written.json"  # in the work folder: the rows that the model has written


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """General rows to train on, what became of all that could have been, and the figures of the report."""

    rows: Tokenised
    counts: list[RowCount]
    figures: dict[str, Any]


def apart(examples: Sequence[Example]) -> tuple[list[Example], list[Example]]:
    """The rows of the task, and the user's own general ones."""
    return (
        [example for example in examples if example.task != GENERAL_TASK],
        [example for example in examples if example.task == GENERAL_TASK],
    )


def general_rows(rows: int, share: float) -> int:
    """How many general rows beside `rows` of the task make up `share` of all."""
    return round(rows * share / (1.0 - share))


def replay_rows(
    own: Sequence[Example],
    count: int,
    model: "PreTrainedModel",
    tokenizer: "PreTrainedTokenizerBase",
    *,
    max_length: int,
    seed: int,
    work: Path,
) -> Replay:
    """`count` general rows: of the user's `own` as many as there are, the rest written by `model`.

    What it writes is kept in `work`: a run that goes on has the same rows. None overlaps with the probe.
    """
    forbidden = probe_grams()
    fitting = [row for row in own if not overlaps((turn.content for turn in row.messages), forbidden)]
    used = stratified(fitting, count, key=lambda _: GENERAL_TASK, seed=seed)
    missing = count - len(used)
    written = Talks(talks=(), tried=0, dropped={})
    if missing and (work / WRITTEN).exists():
        written = read_json(work / WRITTEN, Talks, error=TrainingError, advice="delete it and run again")
    elif missing:
        written = write_talks(model, tokenizer, missing, seed=seed, forbidden=forbidden)
        write_json(work / WRITTEN, asdict(written))
    taken = [
        Example.plain(
            f"written-{number}",
            talk.prompt,
            talk.answer.text,
            source=BY_MODEL,
            task=GENERAL_TASK,
            group=f"written-{number}",
        )
        for number, talk in enumerate(written.talks[:missing])
    ]
    cut = {example.id for example, talk in zip(taken, written.talks, strict=False) if not talk.answer.ended}
    asked = [_asked_plainly(example) for example in [*used, *taken]]
    tokenised = tokenise(asked, tokenizer, max_length=max_length, cut=cut)
    rows = tokenised.rows
    entered = len(own) + written.tried  # every turn that the model wrote counts
    figures = {"wanted": count, "rows": len(rows), "own": len(used), "written": len(taken)}
    if len(rows) < count:
        print(f"{len(rows)} general rows are replayed; sft.replay asks for {count}", flush=True)
    return Replay(
        rows=tokenised,
        counts=row_counts(
            "general",
            entered,
            trained=len(rows),
            dropped={**written.dropped, IN_OWN: len(own) - len(fitting), NO_ROOM: tokenised.no_room},
            unused={TOO_MANY: len(fitting) - len(used) + len(written.talks) - len(taken)},
            truncated={TOO_LONG: sum(row.truncated for row in rows)},
        )
        if entered
        else [],
        figures={"replay": figures} if count else {},
    )


def not_replayed(own: Sequence[Example], replay: Replay) -> list[Learned]:
    """The user's own general rows that are not among those to train on."""
    used = {grounded.example.id for grounded in replay.rows.examples}
    return [
        replace(line, form="general")
        for line in left_out(own, used, "not among the rows that sft.replay takes")
    ]


def _asked_plainly(example: Example) -> Grounded:
    return Grounded(
        example=example, messages=example.prompt, target=example.answer, outcome="free", form="general"
    )

"""One attempt of a search: a candidate trained by the stage `sft` on its rows, under the tokens of a rung."""

import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deploy.assistant import Assistant
from deploy.atomic import remove
from deploy.errors import ThreeplyError
from deploy.knowledge.hits import Hit, Knowledge
from tasks.errors import TrainingError
from tasks.machine.settings import RunSettings
from tasks.pages.numbers import spelled
from tasks.rows.records import Example
from tasks.training.searching.halving import Rung
from tasks.training.searching.journal import Attempt, Journal
from tasks.training.searching.proposals import Candidate
from tasks.training.searching.space import SPACE
from tasks.training.settings import SftSettings
from tasks.training.tuning.tuning import fine_tune


@dataclass(kw_only=True)
class Attempts:
    """Makes attempts in `folder`, or tells those that the journal knows.

    `total` is how many there may be, `held` the bytes that the process has taken for other things.
    """

    examples: Sequence[Example]
    held_out: Sequence[Example]
    assistant: Assistant
    base: Path
    folder: Path
    journal: Journal
    run: RunSettings
    sft: SftSettings
    total: int
    held: int
    made: int = 0

    def __call__(self, candidate: Candidate, rung: Rung, seed: int = 0) -> Attempt:
        """What comes of a candidate in a rung; one that fails says why, and the search goes on.

        `seed` is added to that of the run.
        """
        self.made += 1
        values = candidate.settings.model_dump(mode="json")
        what = described(candidate.method, values)
        print(f"trial {self.made} of {self.total}, {rung.tokens:,} tokens: {what}", flush=True)
        if known := self.journal.find(rung.number, candidate.number, values):
            print(f"known from before: {_told(known)}", flush=True)
            return known
        started = time.monotonic()
        trained: int | None = None
        loss: float | None = None
        failed = ""
        try:
            trained, loss = self._train(candidate, rung.tokens, seed)
        except ThreeplyError as error:
            failed = str(error)
        done = Attempt(
            rung=rung.number,
            number=candidate.number,
            method=candidate.method,
            settings=values,
            tokens=rung.tokens,
            trained=trained,
            loss=loss,
            seconds=round(time.monotonic() - started, 1),
            failed=failed,
        )
        self.journal.add(done)
        remove(self.folder)
        print(_told(done), flush=True)
        return done

    def forget(self) -> None:
        """Try everything anew the next time: what stood in the way may be gone."""
        self.journal.clear()

    def _train(self, candidate: Candidate, tokens: int, seed: int) -> tuple[int, float]:
        """The tokens that were trained on, and the validation loss after them."""
        # One look at the validation rows, at the end, and no states to go on from: a trial is short.
        changed = {candidate.method: candidate.settings, "method": candidate.method}
        sft = self.sft.model_copy(update={**changed, "validation_passes": 1, "checkpoints": 1})
        remove(self.folder)
        self.folder.mkdir(parents=True)
        tuned = fine_tune(
            self.examples,
            self.held_out,
            self.assistant,
            self.base,
            work=self.folder,
            run=self.run.model_copy(update={"seed": self.run.seed + seed}),
            settings=sft,
            tokens=tokens,
            held=self.held,
        )
        figures = tuned.report.figures
        if "validation_loss" not in figures:
            raise TrainingError("no validation row has room for an answer; raise sft.max_length")
        return int(figures["tokens"]), float(figures["validation_loss"])


def described(method: str, values: Mapping[str, Any]) -> str:
    """A method with those of its settings that are searched."""
    shown = (f"{name} {spelled(values[name])}" for name in SPACE[method])
    return f"{method} ({', '.join(shown)})"


def _told(attempt: Attempt) -> str:
    if attempt.loss is None:
        return f"failed: {attempt.failed}"
    return f"validation loss {attempt.loss:.4f} after {attempt.trained:,} tokens"


Asked = tuple[tuple[str, ...], tuple[str, ...] | None, tuple[frozenset[str], ...] | None]


class Remembering:
    """Finds what `knowledge` finds, and looks only once for equal lists of questions."""

    def __init__(self, knowledge: Knowledge) -> None:
        self._knowledge = knowledge
        self._found: dict[Asked, list[list[Hit]]] = {}

    def search(
        self,
        queries: Sequence[str],
        *,
        before: Sequence[str] | None = None,
        exclude: Sequence[Collection[str]] | None = None,
    ) -> list[list[Hit]]:
        """For each query its best chunks, best first."""
        asked: Asked = (
            tuple(queries),
            None if before is None else tuple(before),
            None if exclude is None else tuple(map(frozenset, exclude)),
        )
        if asked not in self._found:
            self._found[asked] = self._knowledge.search(queries, before=before, exclude=exclude)
        return self._found[asked]

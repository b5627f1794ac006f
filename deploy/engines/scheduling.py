"""Many requests answered at once: rows join and leave one batch between two tokens (Orca, Yu et al. 2022).

Prompts that wait at the same time are read together, long ones in pieces, and in between the rows under way
get their next token. A prompt is read once for all choices of a request. Whoever has left is dropped before
the next piece or token. A batch is of one model; requests for another wait until it has run dry, and only so
many may overtake them.
"""

import threading
import weakref
from collections import deque
from contextlib import AbstractContextManager
from functools import partial
from typing import TYPE_CHECKING

from deploy.adapters.switching import Adapters
from deploy.engines.abstaining import Gating
from deploy.engines.asked import Asked, Read, Row
from deploy.engines.choosing import chooser
from deploy.engines.decoding import decode
from deploy.engines.prefill import PIECE, Prefill

if TYPE_CHECKING:
    from transformers import PreTrainedModel

    from deploy.engines.slots import Slots

_IDLE_SECONDS = 5.0  # how often a thread looks whether its scheduler is still there


class Scheduler:
    """Answers what is asked with the models of `adapters`, `most_rows` at once, as long as it has `lock`.

    Its thread lives as long as the scheduler, and does not keep it alive. One for each question would make
    the code of matrix products anew each time, which oneDNN keeps by thread.
    """

    def __init__(
        self,
        model: "PreTrainedModel",
        adapters: Adapters,
        lock: AbstractContextManager[object],
        *,
        most_rows: int,
        piece: int = PIECE,
    ) -> None:
        self._model, self._adapters, self._lock = model, adapters, lock
        from deploy.engines.growing import cache_for

        self._most_rows = most_rows
        self._prefill = Prefill(model, piece=piece)
        self._shares = cache_for(model, 1)[1]  # whether rows of this model can lie in slots
        self._waiting: deque[Asked] = deque()
        self._changing = threading.Lock()
        self._asked = threading.Event()
        self._thread: threading.Thread | None = None
        self._overtaken = 0

    def ask(self, *asked: Asked) -> None:
        """Put requests into the line, one behind the other."""
        with self._changing:
            self._waiting.extend(asked)
            if self._thread is None:
                known = weakref.ref(self)
                work = partial(_work, known, self._asked)
                self._thread = threading.Thread(target=work, name="decoding", daemon=True)
                self._thread.start()
        self._asked.set()

    def answer(self) -> None:
        """Answer all that waits: what its own thread does when it is woken."""
        import torch

        if self._waiting:
            with self._lock, torch.inference_mode():
                self._answer_all()

    def _answer_all(self) -> None:
        """Answer until nobody waits and every row has ended."""
        from deploy.engines.slots import Slots

        rows: list[Row] = []
        slots = Slots()
        while True:
            group = self._next(rows)
            reads = bool(group) and group[0].shared.read is None  # a further choice costs nobody any time
            if group:
                self._open(group, rows, slots)
            if rows and (reads or not group):
                self._step(rows, slots)
            elif not group:
                return

    def _next(self, rows: list[Row]) -> list[Asked]:
        """The requests to be opened now, beside `rows` and together; none where none fits."""
        group: list[Asked] = []
        with self._changing:
            for asked in [each for each in self._waiting if each.gone()]:
                self._waiting.remove(asked)
                asked.put(None)
            if not rows:
                self._overtaken = 0
            model = rows[0].asked.model if rows else None
            while len(rows) + len(group) < self._most_rows:
                fitting = self._fitting(model)
                if fitting is None or (group and not (self._shares and self._prefill.joins(fitting, group))):
                    break
                self._overtaken += fitting is not self._waiting[0]
                self._waiting.remove(fitting)
                group.append(fitting)
                model = fitting.model
        return group

    def _fitting(self, model: str | None) -> Asked | None:
        """The first that waits for `model`, or for any, if it may overtake those before it."""
        fitting = next((each for each in self._waiting if model in (None, each.model)), None)
        overtakes = fitting is not None and fitting is not self._waiting[0]
        return None if overtakes and self._overtaken >= self._most_rows else fitting

    def _open(self, group: list[Asked], rows: list[Row], slots: "Slots") -> None:
        """Say the first token behind each prompt, and let them join the others."""
        import torch

        try:
            if not rows:
                with torch.inference_mode(False):  # else what it makes of weights could never be trained on
                    self._adapters.activate(group[0].model)
            if not self._shares:
                self._alone(group[0])
                return
            found = self._read(group, rows, slots)
        except Exception as error:
            for asked in group:
                asked.put(error)
            return
        for asked, read in zip(group, found, strict=True):
            try:
                self._begin(asked, read, rows, slots)
            except Exception as error:
                asked.put(error)

    def _read(self, group: list[Asked], rows: list[Row], slots: "Slots") -> list[Read | None]:
        """The prompts of `group` while the others go on; None for whoever is gone."""
        if read := group[0].shared.read:
            return [read]
        between = partial(self._step, rows, slots) if rows else None
        found = self._prefill.read(group, self._adapters.virtual_tokens, between=between)
        return [None] * len(group) if found is None else list(found)

    @staticmethod
    def _begin(asked: Asked, read: Read | None, rows: list[Row], slots: "Slots") -> None:
        if read is None:
            asked.put(None)
            return
        asked.shared.begin(read)
        gating = Gating(asked.gate, [read.chance]) if asked.gate and read.chance is not None else None
        row = Row(asked, chooser(asked.sampling, 1, None, asked.keeping), gating)
        if row.say(read.logits):
            slots.take(read.batch.cache, read.batch.seen, read.row)
            rows.append(row)

    def _step(self, rows: list[Row], slots: "Slots") -> None:
        """One token more for each row; those that end or are given up leave."""
        try:
            self._leave(rows, slots, [at for at, row in enumerate(rows) if self._given_up(row)])
            if not rows:
                return
            logits = slots.step(self._model, [row.token for row in rows])
            self._leave(rows, slots, [at for at, row in enumerate(rows) if not row.say(logits[at : at + 1])])
        except Exception as error:
            for row in rows:
                row.asked.put(error)
            self._leave(rows, slots, list(range(len(rows))))

    @staticmethod
    def _given_up(row: Row) -> bool:
        if not row.asked.gone():
            return False
        row.asked.put(None)
        return True

    @staticmethod
    def _leave(rows: list[Row], slots: "Slots", places: list[int]) -> None:
        for place in reversed(places):  # from the end: the last row takes the place of one that leaves
            slots.drop(place)
            rows[place] = rows[-1]
            rows.pop()

    def _alone(self, asked: Asked) -> None:
        """Answer one with a model whose cache forgets, as with sliding windows: its rows share no batch.

        Each choice of a request reads the prompt for itself then.
        """
        told = asked.transcript
        for _ in decode(
            self._model,
            [asked.prompt],
            sampling=asked.sampling,
            goes_on=lambda _, token: told.add(token) and not asked.gone(),
            virtual_tokens=self._adapters.virtual_tokens,
            gate=asked.gate,
            keeping=asked.keeping,
            weigh=(lambda _, *weighed: told.weigh(*weighed)) if asked.sampling.chances is not None else None,
        ):
            if piece := told.settled():
                asked.put(piece)
        asked.put(None if asked.gone() else told.rest(len(asked.prompt)))


def _work(known: "weakref.ref[Scheduler]", asked: threading.Event) -> None:
    """Answer when asked, until the scheduler is gone."""
    while True:
        asked.wait(_IDLE_SECONDS)
        asked.clear()
        scheduler = known()
        if scheduler is None:
            return
        scheduler.answer()
        del scheduler

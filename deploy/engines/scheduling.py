"""Many requests answered at once: rows join and leave one batch between two tokens (Orca, Yu et al. 2022).

A prompt is read in pieces, and between two of them the rows under way get their next token: a long prompt
holds nobody up for longer than a piece. It is read once for all choices of a request. Whoever has left is
dropped before the next piece or token. A batch is of one model; requests for another wait until it has run
dry, and only so many may overtake them.
"""

import threading
import weakref
from collections import deque
from contextlib import AbstractContextManager
from functools import partial
from typing import TYPE_CHECKING

from deploy.adapters.switching import Adapters
from deploy.engines.abstaining import Gate, Gating, may_abstain
from deploy.engines.asked import Asked, Read, Row
from deploy.engines.batch import Batch, chances_behind, reading
from deploy.engines.choosing import chooser
from deploy.engines.decoding import decode
from deploy.engines.heads import Heads

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel

    from deploy.engines.slots import Slots

PIECE = 256  # tokens of a prompt read at once: more reads it faster, and holds the others up for longer
_ALONE = 4  # times as much of a prompt is read at once where no row is under way
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

        self._most_rows, self._piece = most_rows, piece
        self._shares = cache_for(model, 1)[1]  # whether rows of this model can lie in slots
        self._waiting: deque[Asked] = deque()
        self._changing = threading.Lock()
        self._asked = threading.Event()
        self._thread: threading.Thread | None = None
        self._overtaken = 0
        self._heads = Heads()

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
            asked = self._next(rows)
            if asked is not None:
                self._open(asked, rows, slots)
            elif rows:
                self._step(rows, slots)
            else:
                return

    def _next(self, rows: list[Row]) -> Asked | None:
        """The request to be opened now, if one fits beside `rows`."""
        with self._changing:
            for asked in [each for each in self._waiting if each.gone()]:
                self._waiting.remove(asked)
                asked.put(None)
            if not self._waiting or len(rows) >= self._most_rows:
                return None
            if not rows:
                self._overtaken = 0
                return self._waiting.popleft()
            model = rows[0].asked.model
            fitting = next((each for each in self._waiting if each.model == model), None)
            if fitting is None:
                return None
            if fitting is not self._waiting[0]:
                if self._overtaken >= self._most_rows:
                    return None
                self._overtaken += 1
            self._waiting.remove(fitting)
            return fitting

    def _open(self, asked: Asked, rows: list[Row], slots: "Slots") -> None:
        """Say the first token behind a prompt, and let it join the others."""
        import torch

        try:
            if not rows:
                with torch.inference_mode(False):  # else what it makes of weights could never be trained on
                    self._adapters.activate(asked.model)
            if not self._shares:
                self._alone(asked)
                return
            read = asked.shared.read or self._read(asked, rows, slots)
            if read is None:
                asked.put(None)
                return
            asked.shared.begin(read)
            gating = Gating(asked.gate, read.chances) if asked.gate and read.chances is not None else None
            row = Row(asked, chooser(asked.sampling, 1, None, asked.keeping), gating)
            if row.say(read.logits):
                slots.take(read.batch.cache, read.batch.seen)
                rows.append(row)
        except Exception as error:
            asked.put(error)

    def _read(self, asked: Asked, rows: list[Row], slots: "Slots") -> Read | None:
        """Read a prompt while the others go on; None once whoever has asked is gone."""
        room = asked.sampling.max_new_tokens + (len(asked.gate.tokens) if asked.gate else 0)
        # Alone, only whoever leaves has to be noticed between two pieces.
        piece = self._piece if rows else _ALONE * self._piece
        virtual = self._adapters.virtual_tokens
        turn = asked.prompt[: asked.head]
        head = self._heads.find(asked.model, turn)
        opening = reading(self._model, asked.prompt, room, virtual, piece=piece, head=head)
        while True:
            try:
                next(opening)
            except StopIteration as read:
                batch, logits = read.value
                break
            if asked.gone():
                return None
            if rows:
                self._step(rows, slots)
        if head is None:
            columns = virtual.columns if virtual else 0
            self._heads.keep(asked.model, turn, batch.cache, behind=columns)
        return Read(batch, logits, self._chances(asked.gate, batch, logits))

    def _chances(self, gate: Gate | None, batch: Batch, logits: "torch.Tensor") -> list[float] | None:
        if gate is None or not may_abstain(gate, logits):
            return None
        return chances_behind(self._model, batch, logits, gate.tokens)

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

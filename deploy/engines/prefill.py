"""Reads the prompts of requests: short ones that wait together as one batch, a long one in pieces.

Products of a few hundred tokens leave a processor half idle, and each new number of tokens costs oneDNN the
making of its code. So prompts that wait at the same time are read together, padded to one width of a few.
Whoever is being answered meanwhile waits for one such batch, or one piece, at the longest, and then gets a
token.
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from deploy.adapters.adapter import VirtualTokens
from deploy.engines.abstaining import may_abstain
from deploy.engines.asked import Asked, Read
from deploy.engines.batch import Batch, chances_behind, prefilled, reading
from deploy.engines.heads import Head, Heads

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel

PIECE = 256  # tokens of a prompt read at once: more reads it faster, and holds the others up for longer
TOGETHER = 4  # times as many tokens, of several prompts or of one while no row is under way


class Prefill:
    """What prompts become under `model`, which reads `piece` tokens of a long one at once."""

    def __init__(self, model: "PreTrainedModel", *, piece: int) -> None:
        self._model, self._piece = model, piece
        self._heads = Heads()

    def joins(self, asked: Asked, others: Sequence[Asked]) -> bool:
        """Whether the prompt of `asked`, of the same model, is read together with those of `others`."""
        each = [asked, *others]
        longest = max(map(self._unread, each))
        alike = all(one.prompt[: one.head] == asked.prompt[: asked.head] for one in others)
        new = len({id(one.shared) for one in each}) == len(each) and not any(one.shared.read for one in each)
        return alike and new and longest <= self._piece and longest * len(each) <= TOGETHER * self._piece

    def read(
        self,
        group: Sequence[Asked],
        virtual: VirtualTokens | None,
        *,
        between: Callable[[], object] | None,
    ) -> list[Read] | None:
        """What the prompts of `group` become, which join each other; None once one who is alone has gone.

        `between` two pieces of a long prompt the others get on; None where nobody is under way.
        """
        first = group[0]
        head = self._head(first, virtual)
        sentence = next((asked.gate.tokens for asked in group if asked.gate is not None), ())
        room = len(sentence)  # whoever is answered goes on in slots
        if self._unread(first) <= self._piece:
            prompts = [asked.prompt for asked in group]
            batch, logits = prefilled(self._model, prompts, room, virtual, head=head)
        else:
            piece = self._piece if between else TOGETHER * self._piece
            opening = reading(self._model, first.prompt, room, virtual, piece=piece, head=head)
            while True:
                try:
                    next(opening)
                except StopIteration as ended:
                    batch, logits = ended.value
                    break
                if first.gone():
                    return None
                if between:
                    between()
        chances = self._chances(group, batch, logits, sentence)
        return [Read(batch, row, logits[row : row + 1], chances[row]) for row in range(len(group))]

    def _unread(self, asked: Asked) -> int:
        """How many tokens of a prompt are read for it alone: all, where its system turn is not kept."""
        return len(asked.prompt) - (asked.head if self._heads.pays(asked.prompt[: asked.head]) else 0)

    def _head(self, asked: Asked, virtual: VirtualTokens | None) -> Head | None:
        """The system turn as it has been read before, or is read now; None where it does not pay."""
        turn = asked.prompt[: asked.head]
        if not self._heads.pays(turn):
            return None
        head = self._heads.find(asked.model, turn)
        if head is None:
            batch, _ = prefilled(self._model, [turn], 0, virtual)
            columns = virtual.columns if virtual else 0
            head = self._heads.keep(asked.model, turn, batch.cache, behind=columns)
        return head

    def _chances(
        self, group: Sequence[Asked], batch: Batch, logits: "torch.Tensor", sentence: Sequence[int]
    ) -> list[float | None]:
        """For each the chance of the `sentence` by which it abstains, if it may."""
        asking = [
            asked.gate is not None and may_abstain(asked.gate, logits[row : row + 1])
            for row, asked in enumerate(group)
        ]
        if not any(asking):
            return [None] * len(group)
        found = chances_behind(self._model, batch, logits, sentence)
        return [chance if may else None for chance, may in zip(found, asking, strict=True)]

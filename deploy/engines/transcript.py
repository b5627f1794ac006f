"""Turns the tokens of one answer into text: piece by piece for a stream, whole for a result.

Text may be held back, and with it the chances of its tokens, where they are asked for: each comes with the
piece in which its token begins, so none is lost and none comes twice.
"""

import bisect
from collections.abc import Collection
from dataclasses import replace
from typing import TYPE_CHECKING

from deploy.engines.engine import Generation, Piece, Sampling, Weighed
from deploy.engines.weighing import Weigher

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedTokenizerBase

_TORN = "\ufffd"  # what a tokenizer shows for a character whose bytes are not all there yet


class Transcript:
    """One answer in the making, which is one `choice` of several.

    Knows when it ends: at an end token, a stop string, or its length.
    """

    def __init__(
        self,
        tokenizer: "PreTrainedTokenizerBase",
        ends: Collection[int],
        sampling: Sampling,
        *,
        weigher: Weigher,
        choice: int = 0,
    ) -> None:
        self._tokenizer, self._ends, self._sampling = tokenizer, ends, sampling
        self._weigher, self._choice = weigher, choice
        self._weighed: list[Weighed] = []
        self._told = 0
        self._noted: Weighed | None = None
        self._tokens: list[int] = []
        self._num_tokens = 0
        self._text = ""
        self._sent = 0
        self._finished = self._cut = False

    def weigh(self, token: int, logits: "torch.Tensor") -> None:
        """Note what chance the model's own `logits` [vocabulary] give the token that is added next.

        Nothing is noted of a token that ends the answer: it is none of its text.
        """
        if token not in self._ends:
            self._noted = self._weigher.weighed(token, logits, most=self._sampling.chances or 0)

    def add(self, token: int) -> bool:
        """Take the next token; whether another is wanted."""
        self._num_tokens += 1
        if token in self._ends:
            self._finished = True
            return False
        self._tokens.append(token)
        before = self._text
        self._text = self._tokenizer.decode(
            self._tokens, skip_special_tokens=True, clean_up_tokenization_spaces=False
        )
        if self._noted is not None:
            self._weighed.append(replace(self._noted, start=self._start(before)))
        places = [place for stop in self._sampling.stop if (place := self._text.find(stop)) >= 0]
        if places:
            self._text = self._text[: min(places)]
            self._finished = self._cut = True
        return not places and self._num_tokens < self._sampling.max_new_tokens

    def settled(self) -> Piece | None:
        """What can be sent and was not yet: no torn character, and nothing that may begin a stop string."""
        end = len(self._text.rstrip(_TORN))
        if not self._finished:
            end = min([end, *(self._opening(stop) for stop in self._sampling.stop)])
        piece = self._text[self._sent : end]
        self._sent = max(self._sent, end)
        return Piece(text=piece, choice=self._choice, chances=self._chances()) if piece else None

    def rest(self, prompt_tokens: int) -> Piece:
        """What was not sent yet, once the answer has ended, and the whole of it."""
        end = self.generation(prompt_tokens)
        piece = self._text[self._sent :]
        self._sent = len(self._text)
        chances = end.chances[self._told :] if end.chances is not None else ()
        return Piece(text=piece, choice=self._choice, chances=chances, end=end)

    def _chances(self) -> tuple[Weighed, ...]:
        """Those of the tokens that begin in what was sent, and were not told yet."""
        began, self._told = self._told, self._beginning(self._sent)
        return tuple(self._weighed[began : self._told])

    def _start(self, before: str) -> int:
        """Where the token begins that has made the text of what was there `before`."""
        if len(self._text) > len(before) and self._text.startswith(before):
            return len(before)
        # It goes on with a character that is torn, or says nothing.
        last = self._weighed[-1].start if self._weighed else 0
        return max(len(before.rstrip(_TORN)), last)

    def _beginning(self, end: int) -> int:
        """How many tokens begin before the character `end` of the text."""
        return bisect.bisect_left(self._weighed, end, lo=self._told, key=lambda each: each.start)

    def generation(self, prompt_tokens: int) -> Generation:
        """The whole answer. What stands behind a stop string is no part of it, nor are chances there."""
        chances = None
        if self._sampling.chances is not None:
            chances = tuple(self._weighed[: self._beginning(len(self._text)) if self._cut else None])
        return Generation(
            text=self._text,
            prompt_tokens=prompt_tokens,
            completion_tokens=self._num_tokens,
            finished=self._finished,
            chances=chances,
        )

    def _opening(self, stop: str) -> int:
        """Where a beginning of `stop` stands at the end of the text; the text's length if there is none."""
        for length in range(min(len(stop) - 1, len(self._text)), 0, -1):
            if self._text.endswith(stop[:length]):
                return len(self._text) - length
        return len(self._text)

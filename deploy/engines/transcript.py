"""Turns the tokens of one answer into text: piece by piece for a stream, whole for a result."""

from collections.abc import Collection
from typing import TYPE_CHECKING

from deploy.engines.engine import Generation, Sampling

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

_TORN = "\ufffd"  # what a tokenizer shows for a character whose bytes are not all there yet


class Transcript:
    """One answer in the making. Knows when it ends: at an end token, a stop string, or its length."""

    def __init__(
        self, tokenizer: "PreTrainedTokenizerBase", ends: Collection[int], sampling: Sampling
    ) -> None:
        self._tokenizer, self._ends, self._sampling = tokenizer, ends, sampling
        self._tokens: list[int] = []
        self._num_tokens = 0
        self._text = ""
        self._sent = 0
        self._finished = False

    def add(self, token: int) -> bool:
        """Take the next token; whether another is wanted."""
        self._num_tokens += 1
        if token in self._ends:
            self._finished = True
            return False
        self._tokens.append(token)
        self._text = self._tokenizer.decode(
            self._tokens, skip_special_tokens=True, clean_up_tokenization_spaces=False
        )
        places = [place for stop in self._sampling.stop if (place := self._text.find(stop)) >= 0]
        if places:
            self._text = self._text[: min(places)]
            self._finished = True
        return not places and self._num_tokens < self._sampling.max_new_tokens

    def settled(self) -> str:
        """What can be sent and was not yet: no torn character, and nothing that may begin a stop string."""
        end = len(self._text.rstrip(_TORN))
        if not self._finished:
            end = min([end, *(self._opening(stop) for stop in self._sampling.stop)])
        piece = self._text[self._sent : end]
        self._sent = max(self._sent, end)
        return piece

    def rest(self) -> str:
        """What was not sent yet, once the answer has ended."""
        piece = self._text[self._sent :]
        self._sent = len(self._text)
        return piece

    def generation(self, prompt_tokens: int) -> Generation:
        """The whole answer."""
        return Generation(
            text=self._text,
            prompt_tokens=prompt_tokens,
            completion_tokens=self._num_tokens,
            finished=self._finished,
        )

    def _opening(self, stop: str) -> int:
        """Where a beginning of `stop` stands at the end of the text; the text's length if there is none."""
        for length in range(min(len(stop) - 1, len(self._text)), 0, -1):
            if self._text.endswith(stop[:length]):
                return len(self._text) - length
        return len(self._text)

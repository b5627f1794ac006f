"""Answers that keep to a JSON schema: a token that would leave it gets no chance.

Schemas are followed by llguidance, which says for each next token which ones may stand there.
"""

import threading
from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from deploy.errors import EngineError, GrammarError

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedTokenizerBase

MOST_CHARACTERS = 16_384  # of a schema: of a larger one with thousands of keys, reading alone takes seconds
_KEPT = 16  # schemas that are kept as they were read: a program asks with the same one again and again
_FORM = {"whitespace_flexible": False, "coerce_one_of": True}  # small models would write blanks for ever


class Grammars:
    """The schemas of answers, read for one tokenizer and the tokens that end an answer."""

    def __init__(
        self, tokenizer: "PreTrainedTokenizerBase", ends: Collection[int], *, vocabulary: int
    ) -> None:
        self._tokenizer, self._ends, self._vocabulary = tokenizer, sorted(ends), vocabulary
        self._reading = threading.Lock()
        self._known: Any = None  # the tokenizer as llguidance has it
        self._read: dict[str, Any] = {}

    def following(self, schema: str) -> "Following":
        """An answer to be begun that keeps to `schema`, which is JSON.

        Raises:
            GrammarError: it is no JSON schema, too large, or says what cannot be kept to.
            EngineError: no answer of this tokenizer can be kept to a schema.
        """
        with self._reading:
            matcher = self._read.get(schema)
            if matcher is None:
                matcher = self._matcher(schema)
                if len(self._read) >= _KEPT:
                    self._read.pop(next(iter(self._read)))
                self._read[schema] = matcher
            return Following(matcher.deep_copy())

    def _matcher(self, schema: str) -> Any:
        from llguidance import LLMatcher
        from llguidance.hf import from_tokenizer

        if len(schema) > MOST_CHARACTERS:
            told = f"the schema has {len(schema)} characters; at most {MOST_CHARACTERS} are read"
            raise GrammarError(told)
        if self._known is None:
            try:
                self._known = from_tokenizer(
                    self._tokenizer,
                    n_vocab=self._vocabulary,
                    eos_token=self._ends,
                )
            except ValueError as error:
                raise EngineError(f"answers of this model cannot be kept to a schema: {error}") from None
        try:
            grammar = LLMatcher.grammar_from_json_schema(schema, overrides=_FORM)  # type: ignore[arg-type]
        except ValueError as error:
            raise GrammarError(f"the schema is no JSON object: {error}") from None
        matcher = LLMatcher(self._known, grammar, log_level=0)
        if matcher.is_error():
            raise GrammarError(f"answers cannot be kept to this schema: {matcher.get_error()}")
        return matcher


class Following:
    """One answer that keeps to a schema, token by token."""

    def __init__(self, matcher: Any) -> None:
        self._matcher = matcher

    def masked(self, logits: "torch.Tensor") -> "torch.Tensor":
        """`logits` [vocabulary] with no chance for what may not come next: once all is said, all but the end.

        Raises:
            EngineError: the schema turned out to need too much.
        """
        import numpy as np
        import torch

        bits = np.frombuffer(self._matcher.compute_bitmask(), dtype=np.uint8)
        self._check()
        allowed = np.unpackbits(bits, bitorder="little")[: len(logits)].astype(bool)
        return logits.masked_fill(~torch.from_numpy(allowed).to(logits.device), -torch.inf)

    def take(self, token: int) -> None:
        """Go on behind `token`.

        Raises:
            EngineError: as `masked`.
        """
        if not self._matcher.is_stopped():  # a row that has ended stays in its batch for a while
            self._matcher.consume_token(token)
            self._check()

    def _check(self) -> None:
        if self._matcher.is_error():
            raise EngineError(f"the answer cannot be kept to its schema: {self._matcher.get_error()}")

"""What chance a model gives to a token and to those beside it, and how each is spelled.

A token may be part of a character, so it has bytes where a text would tear it apart.
"""

from functools import cached_property
from typing import TYPE_CHECKING

from deploy.engines.chat import control_tokens
from deploy.engines.engine import Chance, Weighed

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedTokenizerBase

LEAST = -9999.0  # what OpenAI writes for a chance of nothing, which JSON has no number for
_BLANK = "\u2581"  # how vocabularies of SentencePiece write a blank


class Weigher:
    """Weighs tokens of one tokenizer. What it needs to know of it is looked up when it is first asked."""

    def __init__(self, tokenizer: "PreTrainedTokenizerBase") -> None:
        self._tokenizer = tokenizer

    def weighed(self, token: int, logits: "torch.Tensor", *, most: int) -> Weighed:
        """`token` and the `most` likeliest, by the `logits` [vocabulary] at their place, which is 0."""
        import torch

        logprobs = torch.log_softmax(logits.float(), dim=-1)
        values, tokens = logprobs.topk(min(most, len(logprobs)))
        return Weighed(
            said=self._chance(token, float(logprobs[token])),
            likeliest=tuple(map(self._chance, tokens.tolist(), values.tolist())),
            start=0,
        )

    def _chance(self, token: int, logprob: float) -> Chance:
        data = self.spelled(token)
        if data is None:
            return Chance(text=str(self._piece(token) or ""), data=None, logprob=max(LEAST, logprob))
        return Chance(text=shown(data), data=data, logprob=max(LEAST, logprob))

    def spelled(self, token: int) -> bytes | None:
        """The bytes that a token adds to a text; None if it adds none."""
        piece = self._piece(token)
        if piece is None or piece in self._control:  # models may have more places than there are tokens
            return None
        if piece in self._literal:
            return piece.encode()
        if self._of_bytes:
            return bytes(_BYTES[character] for character in piece)
        if len(piece) == 6 and piece.startswith("<0x") and piece.endswith(">"):
            return bytes.fromhex(piece[3:5])
        return piece.replace(_BLANK, " ").encode()

    def _piece(self, token: int) -> str | None:
        piece: str | None = self._tokenizer.convert_ids_to_tokens(token)
        return piece

    @cached_property
    def _control(self) -> frozenset[str]:
        return frozenset(control_tokens(self._tokenizer))

    @cached_property
    def _literal(self) -> frozenset[str]:
        """Tokens that were added to the vocabulary, which are written as they are."""
        return frozenset(token.content for token in self._tokenizer.added_tokens_decoder.values())

    @cached_property
    def _of_bytes(self) -> bool:
        """Whether the vocabulary writes each byte as a character, as GPT-2's does."""
        backend = getattr(self._tokenizer, "backend_tokenizer", None)
        return "ByteLevel(" in repr(getattr(backend, "decoder", None))


def shown(data: bytes) -> str:
    """Bytes as text; what is no whole character as OpenAI writes it: a backslash, x and two digits a byte."""
    try:
        return data.decode()
    except UnicodeDecodeError:
        return "".join(f"\\x{byte:02x}" for byte in data)


def _byte_characters() -> dict[str, int]:
    """GPT-2's alphabet: what is printed in Latin-1 stands for itself, the other bytes for what follows it."""
    printed = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(256) if byte not in printed]
    return {chr(byte): byte for byte in printed} | {chr(256 + at): byte for at, byte in enumerate(others)}


_BYTES = _byte_characters()

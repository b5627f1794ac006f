"""Protects where a token's chance stands: with its own text, whatever is torn, held back or cut off."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from deploy.engines.chat import load_tokenizer
from deploy.engines.engine import Piece, Sampling
from deploy.engines.transcript import Transcript
from deploy.engines.weighing import Weigher

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


@pytest.fixture(scope="module")
def tokenizer(tiny_base: Path) -> "PreTrainedTokenizerBase":
    return load_tokenizer(tiny_base)


def said(
    tokenizer: "PreTrainedTokenizerBase", parts: Sequence[bytes | int], stop: tuple[str, ...] = ()
) -> list[Piece]:
    """The pieces of an answer of these tokens: each the one byte that it spells, or a number."""
    import torch

    weigher = Weigher(tokenizer)
    spelled = {weigher.spelled(token): token for token in range(len(tokenizer))}
    tokens = [part if isinstance(part, int) else spelled[part] for part in parts]
    sampling = Sampling(max_new_tokens=len(tokens), stop=stop, chances=1)
    transcript = Transcript(tokenizer, {tokenizer.eos_token_id}, sampling, weigher=weigher)
    pieces = []
    for token in tokens:
        transcript.weigh(token, torch.zeros(len(tokenizer)))
        if not transcript.add(token):
            break
        if piece := transcript.settled():
            pieces.append(piece)
    return [*pieces, transcript.rest(7)]


def starts(pieces: Sequence[Piece]) -> list[int]:
    return [each.start for piece in pieces for each in piece.chances]


def one_by_one(text: str) -> list[bytes]:
    return [bytes([byte]) for byte in text.encode()]


def test_the_bytes_of_a_character_begin_where_it_does_and_come_together(
    tokenizer: "PreTrainedTokenizerBase",
) -> None:
    pieces = said(tokenizer, one_by_one("a€b"))
    assert [(piece.text, len(piece.chances)) for piece in pieces] == [("a", 1), ("€", 3), ("b", 1)]
    assert starts(pieces) == [0, 1, 1, 1, 2]


def test_a_byte_that_is_never_whole_keeps_its_place(tokenizer: "PreTrainedTokenizerBase") -> None:
    pieces = said(tokenizer, [b"\xaa", b"\xaa", b"D", b"\xe2", b"\x82"])
    assert "".join(piece.text for piece in pieces) == "\ufffd\ufffdD\ufffd"
    assert starts(pieces) == [0, 1, 2, 3, 3]


def test_what_may_begin_a_stop_string_waits_with_its_chances(tokenizer: "PreTrainedTokenizerBase") -> None:
    pieces = said(tokenizer, one_by_one("abcabd"), stop=("abd",))
    assert "".join(piece.text for piece in pieces) == "abc"
    assert starts(pieces) == [0, 1, 2]
    assert [len(piece.text) for piece in pieces] == [len(piece.chances) for piece in pieces]
    end = pieces[-1].end
    assert end is not None
    assert end.chances is not None
    assert [each.start for each in end.chances] == [0, 1, 2]
    assert end.completion_tokens == 6


def test_a_token_of_control_is_told_without_text_and_the_end_is_not(
    tokenizer: "PreTrainedTokenizerBase",
) -> None:
    control, end = 1, tokenizer.eos_token_id
    pieces = said(tokenizer, [b"a", control, b"b", control, end, b"c"])
    told = [each for piece in pieces for each in piece.chances]
    assert [each.said.data for each in told] == [b"a", None, b"b", None]
    assert [each.said.text for each in told] == ["a", "<|im_start|>", "b", "<|im_start|>"]
    assert "".join(piece.text for piece in pieces) == "ab"

"""Grounded preferences as rows that hold one prompt and both of its answers."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from deploy.engines.chat import answer_ids, prompt_ids
from tasks.rows.grounding import GroundedPreference
from tasks.rows.reports import RowCount, row_counts
from tasks.training.lengths import require_few_cut

if TYPE_CHECKING:
    from torch import Tensor
    from transformers import PreTrainedTokenizerBase

MISSED = "retrieval missed what the better answer rests on"
TOO_LONG = "longer than reward.max_length"
SAME = "both answers are the same tokens"


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenPair:
    """A prompt with the better and the worse answer, each with its end of turn."""

    prompt: tuple[int, ...]
    chosen: tuple[int, ...]
    rejected: tuple[int, ...]
    margin: float
    flaw: str

    def __len__(self) -> int:
        return len(self.prompt) + len(self.chosen) + len(self.rejected)

    @property
    def sequences(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """The two conversations as they are scored later: prompt and answer in one row each."""
        return (*self.prompt, *self.chosen), (*self.prompt, *self.rejected)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pairs:
    """The pairs that can be used, and why the others cannot."""

    rows: tuple[TokenPair, ...]
    examples: tuple[GroundedPreference, ...]
    dropped: dict[str, int]

    def __add__(self, other: "Pairs") -> "Pairs":
        return Pairs(
            rows=self.rows + other.rows,
            examples=self.examples + other.examples,
            dropped={reason: count + other.dropped[reason] for reason, count in self.dropped.items()},
        )

    def require_few_cut(self, *, limit: float, max_length: int) -> None:
        """Refuse pairs of which more than the share `limit` is left out for its length.

        Raises:
            TrainingError: there are more.
        """
        require_few_cut(
            "reward",
            f"pairs {self.dropped[TOO_LONG]} are longer than",
            cut=self.dropped[TOO_LONG],
            whole=len(self.rows) + sum(self.dropped.values()),
            limit=limit,
            max_length=max_length,
        )


def tokenise(
    preferences: Sequence[GroundedPreference], tokenizer: "PreTrainedTokenizerBase", *, max_length: int
) -> Pairs:
    """The preferences as tokens; a pair of which one row would be longer than `max_length` is dropped.

    An answer is never cut: the flaw may stand in its last word.
    """
    rows: list[TokenPair] = []
    kept: list[GroundedPreference] = []
    dropped = dict.fromkeys((MISSED, TOO_LONG, SAME), 0)
    for preference in preferences:
        prompt = prompt_ids(tokenizer, preference.messages)
        chosen, rejected = (answer_ids(tokenizer, text) for text in (preference.chosen, preference.rejected))
        if preference.missed:
            dropped[MISSED] += 1
        elif len(prompt) + max(len(chosen), len(rejected)) > max_length:
            dropped[TOO_LONG] += 1
        elif chosen == rejected:
            dropped[SAME] += 1
        else:
            rows.append(
                TokenPair(
                    prompt=tuple(prompt),
                    chosen=tuple(chosen),
                    rejected=tuple(rejected),
                    margin=preference.preference.margin,
                    flaw=preference.preference.flaw or "other",
                )
            )
            kept.append(preference)
    return Pairs(rows=tuple(rows), examples=tuple(kept), dropped=dropped)


def counted(pairs: Pairs, *, entered: int, unused: int = 0, kind: str = "preference") -> list[RowCount]:
    """What became of the training pairs of one kind: `in` is the sum of unused, dropped and trained."""
    return row_counts(
        kind,
        entered,
        trained=len(pairs.rows),
        dropped=pairs.dropped,
        unused={"over reward.max_rows": unused},
    )


def collate(pairs: Sequence[TokenPair]) -> "dict[str, Tensor]":
    """One row for each pair: prompt, chosen, rejected; each answer is scored as if it stood alone.

    `input_ids` and `positions` are [rows, tokens], `ends` [rows, 2] (chosen, rejected), `margins` [rows];
    `mask` is [rows, 1, tokens, tokens], True where a token may look.
    """
    import torch
    from torch.nn.utils.rnn import pad_sequence

    from tasks.training.branches import branches

    rows = [torch.tensor([*pair.prompt, *pair.chosen, *pair.rejected]) for pair in pairs]
    told = branches([(len(pair.prompt), (len(pair.chosen), len(pair.rejected))) for pair in pairs])
    return {
        "input_ids": pad_sequence(rows, batch_first=True),
        "positions": told.positions,
        "mask": told.mask,
        "ends": told.last.view(-1, 2),
        "margins": torch.tensor([pair.margin for pair in pairs]),
    }

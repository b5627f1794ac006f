"""Grounded preferences as tokens, with row accounting."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from deploy.engines.chat import answer_ids, prompt_ids
from tasks.rows.grounding import GroundedPreference
from tasks.rows.reports import RowCount, row_counts
from tasks.training.lengths import require_few_cut

if TYPE_CHECKING:
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


def scaled(pairs: Sequence[TokenPair], margin: float) -> list[TokenPair]:
    """The pairs with margins between 0 and `margin`, which the largest of them gets, whatever its unit."""
    largest = max((pair.margin for pair in pairs), default=0.0)
    scale = margin / largest if largest > 0.0 else 0.0
    return [replace(pair, margin=scale * pair.margin) for pair in pairs]


def balanced(pairs: Sequence[TokenPair]) -> list[float]:
    """Weights, 1 in the mean, by which the longer answer is right as often as the shorter one.

    Length then tells nothing of which answer is better, and a model need not learn it.
    """
    sides = [
        (len(pair.chosen) > len(pair.rejected)) - (len(pair.chosen) < len(pair.rejected)) for pair in pairs
    ]
    longer, shorter = sides.count(1), sides.count(-1)
    if not longer or not shorter:
        return [1.0] * len(pairs)
    known = {0: 1.0, 1: (longer + shorter) / (2 * longer), -1: (longer + shorter) / (2 * shorter)}
    return [known[side] for side in sides]


def counted(pairs: Pairs, *, entered: int, unused: int = 0, kind: str = "preference") -> list[RowCount]:
    """What became of the training pairs of one kind: `in` is the sum of unused, dropped and trained."""
    return row_counts(
        kind,
        entered,
        trained=len(pairs.rows),
        dropped=pairs.dropped,
        unused={"over reward.max_rows": unused},
    )

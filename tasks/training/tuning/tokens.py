"""Grounded examples as token rows, with row accounting."""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from deploy.engines.chat import answer_ids, prompt_ids
from deploy.messages import Message
from tasks.rows.grounding import Grounded
from tasks.rows.reports import RowCount, row_counts
from tasks.training.lengths import require_few_cut

if TYPE_CHECKING:
    from datasets import Dataset
    from transformers import PreTrainedTokenizerBase

IGNORED = -100  # the label of a token that does not count in the loss, as torch and TRL have it
NO_ROOM = "the prompt alone fills max_length"
OVER = "over sft.max_rows"


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenRow:
    """A prompt and its answer as tokens; the loss counts those from `answer_start` on."""

    input_ids: tuple[int, ...]
    answer_start: int
    truncated: bool

    @property
    def answer_tokens(self) -> int:
        """How many tokens count in the loss."""
        return len(self.input_ids) - self.answer_start

    @property
    def labels(self) -> list[int]:
        """The tokens that count, all others ignored."""
        return [IGNORED] * self.answer_start + list(self.input_ids[self.answer_start :])


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokenised:
    """The rows that can be trained on, the examples that they come from, and how many had no room."""

    rows: tuple[TokenRow, ...]
    examples: tuple[Grounded, ...]
    no_room: int

    def __add__(self, other: "Tokenised") -> "Tokenised":
        return Tokenised(
            rows=self.rows + other.rows,
            examples=self.examples + other.examples,
            no_room=self.no_room + other.no_room,
        )

    def require_few_cut(self, *, limit: float, max_length: int) -> None:
        """Refuse rows of which more than the share `limit` is cut: a model would learn to stop in the middle.

        Raises:
            TrainingError: there are more.
        """
        truncated = sum(row.truncated for row in self.rows)
        require_few_cut(
            "sft",
            f"rows {truncated} are truncated and {self.no_room} have no room for an answer within",
            cut=truncated + self.no_room,
            whole=len(self.rows) + self.no_room,
            limit=limit,
            max_length=max_length,
        )


def tokenise(
    examples: Sequence[Grounded],
    tokenizer: "PreTrainedTokenizerBase",
    *,
    max_length: int,
    cut: Collection[str] = (),
) -> Tokenised:
    """The examples as tokens, exactly as they are served; rows are cut at their end.

    `cut` holds the ids of those whose answer was cut before.
    """
    rows: list[TokenRow] = []
    kept: list[Grounded] = []
    for example in examples:
        was_cut = example.example.id in cut
        row = token_row(example.messages, example.target, tokenizer, max_length=max_length, cut=was_cut)
        if row is not None:
            rows.append(row)
            kept.append(example)
    return Tokenised(rows=tuple(rows), examples=tuple(kept), no_room=len(examples) - len(rows))


def token_row(
    messages: Sequence[Message],
    answer: str,
    tokenizer: "PreTrainedTokenizerBase",
    *,
    max_length: int,
    cut: bool = False,
) -> TokenRow | None:
    """A prompt and its answer as tokens, None where the prompt leaves no room.

    An answer that was `cut` before goes without its end of turn: nobody should learn to stop there.
    """
    prompt = prompt_ids(tokenizer, messages)
    said = answer_ids(tokenizer, answer)
    whole = [*prompt, *(said[:-1] if cut else said)]
    if len(prompt) >= max_length:
        return None
    return TokenRow(
        input_ids=tuple(whole[:max_length]),
        answer_start=len(prompt),
        truncated=cut or len(whole) > max_length,
    )


def counted(tokenised: Tokenised, *, entered: int, unused: int = 0, kind: str = "example") -> list[RowCount]:
    """What became of the training rows of one kind: `in` is the sum of unused, dropped and trained."""
    return row_counts(
        kind,
        entered,
        trained=len(tokenised.rows),
        dropped={NO_ROOM: tokenised.no_room},
        unused={OVER: unused},
        truncated={"longer than sft.max_length": sum(row.truncated for row in tokenised.rows)},
    )


def targets(examples: Sequence[Grounded]) -> dict[str, int]:
    """How many targets are answers, abstentions by design, abstentions after a miss, and free texts."""
    counts = Counter(example.outcome for example in examples)
    return {name: counts[name] for name in ("answer", "abstention", "missed", "free")}


def dataset(rows: Sequence[TokenRow]) -> "Dataset":
    """The rows as TRL takes them when nothing is left to prepare."""
    from datasets import Dataset

    return Dataset.from_list([{"input_ids": list(row.input_ids), "labels": row.labels} for row in rows])

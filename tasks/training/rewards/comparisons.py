"""Rows that hold one prompt with all of its judged answers, so that the prompt runs through the model once.

All pairs of a prompt stand in one row, and each row counts as much as another: a prompt with many answers
would else be learnt by heart (Ouyang et al. 2022, arXiv:2203.02155, section 3.5).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tasks.training.rewards.model import score_at
from tasks.training.rewards.pairs import TokenPair

if TYPE_CHECKING:
    from peft import PeftModel
    from torch import Tensor


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A pair of a row: where its better and its worse answer stand in the row, and `place`, its number."""

    better: int
    worse: int
    place: int
    margin: float
    weight: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """A prompt with different answers, each with its end of turn, and the pairs that they make."""

    prompt: tuple[int, ...]
    answers: tuple[tuple[int, ...], ...]
    judged: tuple[Judged, ...]

    def __len__(self) -> int:
        return len(self.prompt) + sum(map(len, self.answers))


def comparisons(
    pairs: Sequence[TokenPair], *, longest: int, weights: Sequence[float] | None = None
) -> list[Comparison]:
    """The pairs as rows, in the order of their first pair; one of several pairs has at most `longest` tokens.

    `weights` says how much each pair counts; without it all count alike.
    """
    rows: list[Comparison] = []
    newest: dict[tuple[int, ...], int] = {}  # the last row of a prompt
    for place, pair in enumerate(pairs):
        weight = 1.0 if weights is None else weights[place]
        number = newest.get(pair.prompt)
        grown = None if number is None else _with(rows[number], pair, place, weight)
        if number is not None and grown is not None and len(grown) <= longest:
            rows[number] = grown
        else:
            newest[pair.prompt] = len(rows)
            empty = Comparison(prompt=pair.prompt, answers=(), judged=())
            rows.append(_with(empty, pair, place, weight))
    return rows


def _with(row: Comparison, pair: TokenPair, place: int, weight: float) -> Comparison:
    answers = tuple(dict.fromkeys((*row.answers, pair.chosen, pair.rejected)))
    judged = Judged(
        better=answers.index(pair.chosen),
        worse=answers.index(pair.rejected),
        place=place,
        margin=pair.margin,
        weight=weight,
    )
    return Comparison(prompt=row.prompt, answers=answers, judged=(*row.judged, judged))


def collate(rows: Sequence[Comparison]) -> "dict[str, Tensor]":
    """A batch of rows, padded on the right; each answer is scored as if it stood alone.

    `input_ids` and `positions` are [rows, tokens], `ends` [rows, answers] the last place of each answer (0
    where a row has fewer); `mask` is [rows, 1, tokens, tokens], True where a token may look. Of each pair,
    [pairs], `better` and `worse` are places among all answers of `ends`, one row after the other, `weights`
    its share of the mean over rows; `margins`, and `places`, its number.
    """
    import torch
    from torch.nn.utils.rnn import pad_sequence

    from tasks.training.branches import branches

    flat = [
        torch.tensor([*row.prompt, *(token for answer in row.answers for token in answer)]) for row in rows
    ]
    told = branches([(len(row.prompt), [len(answer) for answer in row.answers]) for row in rows])
    width = max(len(row.answers) for row in rows)
    ends = torch.zeros(len(rows), width, dtype=torch.long)
    ends[told.row.flatten(), torch.cat([torch.arange(len(row.answers)) for row in rows])] = (
        told.last.flatten()
    )
    judged = [
        (number * width, each, each.weight / len(row.judged) / len(rows))
        for number, row in enumerate(rows)
        for each in row.judged
    ]
    return {
        "input_ids": pad_sequence(flat, batch_first=True),
        "positions": told.positions,
        "mask": told.mask,
        "ends": ends,
        "better": torch.tensor([first + each.better for first, each, _ in judged]),
        "worse": torch.tensor([first + each.worse for first, each, _ in judged]),
        "margins": torch.tensor([each.margin for _, each, _ in judged]),
        "weights": torch.tensor([weight for _, _, weight in judged]),
        "places": torch.tensor([each.place for _, each, _ in judged]),
    }


def differences(rows: Sequence[Comparison], scores: Sequence[Sequence[float]]) -> dict[int, float]:
    """By how much the better answer of each pair scores higher, by the pair's number.

    `scores` are those of the answers, row by row.
    """
    return {
        each.place: scored[each.better] - scored[each.worse]
        for row, scored in zip(rows, scores, strict=True)
        for each in row.judged
    }


def answer_scores(
    model: "PeftModel", rows: Sequence[Comparison], *, batch_size: int = 8
) -> list[list[float]]:
    """The score of each answer, row by row."""
    import torch

    order = sorted(range(len(rows)), key=lambda row: len(rows[row]))
    found: list[list[float]] = [[] for _ in rows]
    model.eval()
    for start in range(0, len(order), batch_size):
        part = order[start : start + batch_size]
        batch = collate([rows[row] for row in part])
        with torch.no_grad():
            scored = score_at(
                model, batch["input_ids"], batch["ends"], mask=batch["mask"], positions=batch["positions"]
            )
        for row, values in zip(part, scored.tolist(), strict=True):
            found[row] = values[: len(rows[row].answers)]
    return found

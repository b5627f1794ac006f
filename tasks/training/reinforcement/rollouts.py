"""Samples several responses to each prompt at the cost of hardly more than one.

A prompt is long and a response short. So the prompt runs once, and its responses are decoded beside each
other in one row, where each attends to the prompt and to itself. Training uses the same rows: one prompt with
its responses behind it, under a mask that lets none see another.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence
from transformers.cache_utils import Cache

from deploy.engines.drawing import drawn
from tasks.training.branches import PADDING, PROMPT, Branches, branches
from tasks.training.split_decoder import SplitDecoder

T = TypeVar("T")
NOBODY = -3  # a place beside responses that go on, whose token nobody reads


class Steering(Protocol):
    """Keeps a sentence from being a response; `read` runs it behind the prompts first."""

    sentence: tuple[int, ...]

    def read(
        self, decoder: SplitDecoder, cache: Cache, *, lengths: Tensor, branch: Tensor, logits: Tensor
    ) -> Tensor:
        """`branch` [rows, places] with the places of the sentence, which no response may see."""

    def steered(self, rows: Sequence[int], logits: Tensor) -> Tensor:
        """The logits [rows, 1, vocabulary] without what would lead to the sentence."""

    def follow(self, rows: Sequence[int], tokens: Tensor) -> None:
        """Note what each row has said, [rows, 1]."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """A prompt and the responses sampled to it; the last token of one that `ended` is the end of turn.

    `states` are those of the prompt and of one response behind the other at the cut, [tokens, width].
    """

    prompt: tuple[int, ...]
    responses: tuple[tuple[int, ...], ...]
    ended: tuple[bool, ...]
    states: Tensor


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Groups as tensors: rows are groups, and `rollouts` the responses of all, group by group.

    `states` [rows, places, width] stand as `branches` tell. `tokens` and `mask` [rollouts, tokens] are the
    responses, 1.0 where they are real.
    """

    states: Tensor
    branches: Branches
    tokens: Tensor
    mask: Tensor


def collate(groups: Sequence[Group]) -> Batch:
    """The groups as one padded batch."""
    states = pad_sequence([group.states for group in groups], batch_first=True)
    device = states.device
    tokens = [torch.tensor(response) for group in groups for response in group.responses]
    told = branches(
        [(len(group.prompt), [len(response) for response in group.responses]) for group in groups],
        device=device,
    )
    return Batch(
        states=states,
        branches=told,
        tokens=pad_sequence(tokens, batch_first=True).to(device),
        mask=pad_sequence([torch.ones(len(each)) for each in tokens], batch_first=True).to(device),
    )


@torch.no_grad()
def sample(
    decoder: SplitDecoder,
    prompts: Sequence[Sequence[int]],
    *,
    responses: int,
    end: int,
    max_new_tokens: int,
    temperature: float,
    generator: torch.Generator,
    unsaid: Steering | None = None,
) -> list[Group]:
    """`responses` responses to each prompt under the adapters that are active in `decoder`.

    The prompts run through all layers once; the states at the cut are kept, those of the responses as they
    are decoded. A response that has ended is decoded no further, and neither is a prompt without any other.
    Temperature 0 takes the likeliest token and leaves the generator alone. `unsaid` has a sentence that a
    single response may not be.
    """
    assert unsaid is None or responses == 1
    rows, width, device = len(prompts), max(len(prompt) for prompt in prompts), decoder.device
    padded = torch.full((rows, width), end)
    for row, prompt in enumerate(prompts):
        padded[row, : len(prompt)] = torch.tensor(prompt)
    lengths = torch.tensor([len(prompt) for prompt in prompts], device=device)
    beside = len(unsaid.sentence) if unsaid else 0
    cache = decoder.new_cache(width + beside + max_new_tokens * responses)
    states = decoder.lower(padded.to(device), cache=cache)
    final = decoder.upper(states, cache=cache)[torch.arange(rows, device=device), lengths - 1]
    logits = decoder.logits(final).unsqueeze(1).expand(-1, responses, -1)
    branch = torch.where(torch.arange(width, device=device) < lengths.unsqueeze(1), PROMPT, PADDING)
    if unsaid:
        branch = unsaid.read(decoder, cache, lengths=lengths, branch=branch, logits=logits[:, 0])

    said: list[list[list[int]]] = [[[] for _ in range(responses)] for _ in prompts]
    kept: list[list[list[Tensor]]] = [[[] for _ in range(responses)] for _ in prompts]
    going = {row: list(range(responses)) for row in range(rows)}  # by prompt, those that have not ended
    for step in range(max_new_tokens):
        if unsaid:
            logits = unsaid.steered(list(going), logits)
        chosen = _choose(logits, temperature, generator)
        if unsaid:
            unsaid.follow(list(going), chosen)
        owner = _padded(going.values(), NOBODY).to(device)
        branch = torch.cat([branch, torch.where(owner == NOBODY, PADDING, owner)], dim=1)
        seen = (branch == PROMPT).unsqueeze(1) | (branch.unsqueeze(1) == owner.unsqueeze(2))
        where = {"positions": (lengths + step).unsqueeze(1).expand_as(owner), "mask": seen.unsqueeze(1)}
        state = decoder.lower(chosen.to(device), cache=cache, **where)
        left: list[list[int]] = []  # the places of those that go on
        for place, ((row, numbers), tokens) in enumerate(zip(going.items(), chosen.tolist(), strict=True)):
            for at, number in enumerate(numbers):
                said[row][number].append(tokens[at])
                kept[row][number].append(state[place, at])
            left.append([at for at in range(len(numbers)) if tokens[at] != end])
        if not any(left) or step == max_new_tokens - 1:
            break
        final = decoder.upper(state, cache=cache, **where)
        going = {
            row: [numbers[at] for at in places]
            for (row, numbers), places in zip(going.items(), left, strict=True)
        }
        if sum(map(bool, left)) <= len(left) // 2:  # to take rows out copies the others
            stay = torch.tensor([place for place, places in enumerate(left) if places], device=device)
            cache.batch_select_indices(stay)
            final, branch, lengths = final[stay], branch[stay], lengths[stay]
            going, left = {row: each for row, each in going.items() if each}, [each for each in left if each]
        index = _padded(left, 0).to(device)
        logits = decoder.logits(final.gather(1, index.unsqueeze(2).expand(-1, -1, final.shape[2])))
    return [
        Group(
            prompt=tuple(prompt),
            responses=tuple(map(tuple, said[row])),
            ended=tuple(response[-1] == end for response in said[row]),
            states=torch.cat([states[row, : len(prompt)], *(torch.stack(each) for each in kept[row])]),
        )
        for row, prompt in enumerate(prompts)
    ]


def answered(
    decoder: SplitDecoder, prompts: Sequence[Sequence[int]], *, rows: int = 8, **how: Any
) -> list[Group]:
    """What `sample` gives, in order, for any number of prompts: at once `rows` of about one length."""
    return in_batches(prompts, rows, lambda part: sample(decoder, part, **how))


def in_batches(
    prompts: Sequence[Sequence[int]], rows: int, of_part: Callable[[Sequence[Sequence[int]]], list[T]]
) -> list[T]:
    """What `of_part` gives for each prompt, in order: it is called with `rows` of about one length."""
    order = sorted(range(len(prompts)), key=lambda row: len(prompts[row]))
    found: dict[int, T] = {}
    for start in range(0, len(order), rows):
        part = order[start : start + rows]
        found.update(zip(part, of_part([prompts[row] for row in part]), strict=True))
    return [found[row] for row in range(len(prompts))]


@torch.no_grad()
def given(
    decoder: SplitDecoder, rows: Sequence[tuple[Sequence[int], Sequence[Sequence[int]]]]
) -> list[Group]:
    """Prompts with responses that somebody else has written, as groups; each response has its end of turn."""
    told = branches(
        [(len(prompt), [len(each) for each in responses]) for prompt, responses in rows],
        device=decoder.device,
    )
    flat = [
        torch.tensor([*prompt, *(token for each in responses for token in each)])
        for prompt, responses in rows
    ]
    tokens = pad_sequence(flat, batch_first=True).to(decoder.device)
    states = decoder.lower(tokens, positions=told.positions, mask=told.mask)
    return [
        Group(
            prompt=tuple(prompt),
            responses=tuple(tuple(each) for each in responses),
            ended=(True,) * len(responses),
            states=states[row, : len(flat[row])],
        )
        for row, (prompt, responses) in enumerate(rows)
    ]


def _choose(logits: Tensor, temperature: float, generator: torch.Generator) -> Tensor:
    """One token for each response [rows, responses], by numbers drawn on the CPU: by the seed alone."""
    if temperature == 0.0:
        return logits.argmax(dim=-1).cpu()
    chances = torch.softmax(logits / temperature, dim=-1).flatten(0, 1)
    uniform = torch.rand(len(chances), generator=generator).to(chances.device)
    return drawn(chances, uniform).view(logits.shape[:2]).cpu()


def _padded(rows: Iterable[Sequence[int]], value: int) -> Tensor:
    """The numbers [rows, most of a row], and `value` where a row has fewer."""
    return pad_sequence(
        [torch.tensor(row, dtype=torch.long) for row in rows], batch_first=True, padding_value=value
    )

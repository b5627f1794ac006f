"""Samples several responses to each prompt at the cost of hardly more than one.

A prompt is long and a response short. So the prompt runs once, and its responses are decoded beside each
other in one row, where each attends to the prompt and to itself. Training uses the same rows: one prompt with
its responses behind it, under a mask that lets none see another.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from tasks.training.branches import PADDING, PROMPT, Branches, branches
from tasks.training.split_decoder import SplitDecoder


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
) -> list[Group]:
    """`responses` responses to each prompt under the adapters that are active in `decoder`.

    The prompts run through all layers once; the states at the cut are kept, those of the responses as they
    are decoded. Temperature 0 takes the likeliest token and leaves the generator alone.
    """
    rows, width, device = len(prompts), max(len(prompt) for prompt in prompts), decoder.device
    padded = torch.full((rows, width), end)
    for row, prompt in enumerate(prompts):
        padded[row, : len(prompt)] = torch.tensor(prompt)
    lengths = torch.tensor([len(prompt) for prompt in prompts], device=device)
    cache = decoder.new_cache(width + max_new_tokens * responses)
    states = decoder.lower(padded.to(device), cache=cache)
    final = decoder.upper(states, cache=cache)[torch.arange(rows, device=device), lengths - 1]
    logits = decoder.logits(final).unsqueeze(1).expand(-1, responses, -1)
    owner = torch.arange(responses, device=device)
    branch = torch.where(torch.arange(width, device=device) < lengths.unsqueeze(1), PROMPT, PADDING)

    finished = torch.zeros(rows, responses, dtype=torch.bool)
    tokens: list[Tensor] = []
    decoded: list[Tensor] = []
    for step in range(max_new_tokens):
        token = _choose(logits, temperature, generator)
        tokens.append(token)
        finished |= token == end
        positions = (lengths + step).unsqueeze(1).expand(-1, responses)
        branch = torch.cat([branch, owner.expand(rows, -1)], dim=1)
        seen = (branch == PROMPT).unsqueeze(1) | (branch.unsqueeze(1) == owner.unsqueeze(1))
        mask = seen.unsqueeze(1)
        state = decoder.lower(token.to(device), positions=positions, mask=mask, cache=cache)
        decoded.append(state)
        if bool(finished.all()) or step == max_new_tokens - 1:
            break
        logits = decoder.logits(decoder.upper(state, positions=positions, mask=mask, cache=cache))
    return _cut(prompts, torch.stack(tokens, dim=2), states, torch.stack(decoded, dim=2), end)


def answered(
    decoder: SplitDecoder, prompts: Sequence[Sequence[int]], *, rows: int = 8, **how: Any
) -> list[Group]:
    """What `sample` gives, in order, for any number of prompts: at once `rows` of about one length."""
    order = sorted(range(len(prompts)), key=lambda row: len(prompts[row]))
    found: dict[int, Group] = {}
    for start in range(0, len(order), rows):
        part = order[start : start + rows]
        found.update(zip(part, sample(decoder, [prompts[row] for row in part], **how), strict=True))
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
    """One token for each response [rows, responses], drawn on the CPU: the draw depends on the seed alone."""
    if temperature == 0.0:
        return logits.argmax(dim=-1).cpu()
    probabilities = torch.softmax(logits / temperature, dim=-1).cpu()
    return torch.multinomial(probabilities.flatten(0, 1), 1, generator=generator).view(logits.shape[:2])


def _cut(
    prompts: Sequence[Sequence[int]], tokens: Tensor, states: Tensor, decoded: Tensor, end: int
) -> list[Group]:
    """The groups, each response cut behind its first end of turn."""
    groups: list[Group] = []
    for row, prompt in enumerate(prompts):
        responses = [_until(end, response) for response in tokens[row].tolist()]
        kept = [decoded[row, number, : len(response)] for number, response in enumerate(responses)]
        groups.append(
            Group(
                prompt=tuple(prompt),
                responses=tuple(tuple(response) for response in responses),
                ended=tuple(response[-1] == end for response in responses),
                states=torch.cat([states[row, : len(prompt)], *kept]),
            )
        )
    return groups


def _until(end: int, response: list[int]) -> list[int]:
    return response[: response.index(end) + 1] if end in response else response

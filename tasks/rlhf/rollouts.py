"""Samples responses of the policy, and keeps with each the states of its tokens at the cut of the decoder."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from tasks.rlhf.trunk import KeyValues, SplitDecoder


@dataclass(frozen=True, slots=True, kw_only=True)
class Rollout:
    """One sampled response; its last token is the end of turn where it `ended`.

    `states` are those of prompt and response at the cut, [tokens, width].
    """

    prompt: tuple[int, ...]
    response: tuple[int, ...]
    ended: bool
    states: Tensor

    @property
    def length(self) -> int:
        """Tokens of prompt and response."""
        return len(self.prompt) + len(self.response)


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Rollouts as tensors, padded on the right: `mask` is 1.0 at real response tokens.

    `states` [rows, tokens, width of the model]; `tokens` and `mask` [rows, response tokens]; `before`
    tells for each response token the place of the token in front of it, whose final state predicts it; `last`
    is the place of each row's last token.
    """

    states: Tensor
    tokens: Tensor
    mask: Tensor
    before: Tensor
    last: Tensor


def collate(rollouts: Sequence[Rollout]) -> Batch:
    """The rollouts as one padded batch."""
    states = torch.nn.utils.rnn.pad_sequence([rollout.states for rollout in rollouts], batch_first=True)
    device = states.device
    lengths = torch.tensor([len(rollout.response) for rollout in rollouts], device=device)
    prompts = torch.tensor([len(rollout.prompt) for rollout in rollouts], device=device)
    place = torch.arange(int(lengths.max()), device=device).unsqueeze(0)
    mask = place < lengths.unsqueeze(1)
    tokens = torch.zeros(mask.shape, dtype=torch.long, device=device)
    tokens[mask] = torch.tensor([token for rollout in rollouts for token in rollout.response], device=device)
    before = prompts.unsqueeze(1) - 1 + place
    return Batch(
        states=states,
        tokens=tokens,
        mask=mask.float(),
        before=before.where(mask, 0),
        last=prompts + lengths - 1,
    )


@torch.no_grad()
def sample(
    decoder: SplitDecoder,
    prompts: Sequence[Sequence[int]],
    *,
    end: int,
    max_new_tokens: int,
    temperature: float,
    generator: torch.Generator,
) -> list[Rollout]:
    """One response to each prompt under the adapters that are active in `decoder`.

    The prompts run through the lower layers once; the states at the cut are kept, those of the response as it
    is decoded. Temperature 0 takes the likeliest token and leaves the generator alone.
    """
    rows, width = len(prompts), max(len(prompt) for prompt in prompts)
    padded = torch.full((rows, width), end)
    for row, prompt in enumerate(prompts):
        padded[row, : len(prompt)] = torch.tensor(prompt)
    lengths = torch.tensor([len(prompt) for prompt in prompts], device=decoder.device)
    cache = KeyValues(width + max_new_tokens)
    states = decoder.lower(padded.to(decoder.device), cache=cache)
    final = decoder.upper(states, cache=cache)[torch.arange(rows, device=decoder.device), lengths - 1]
    seen = torch.arange(width, device=decoder.device).unsqueeze(0) < lengths.unsqueeze(1)
    hidden = torch.where(seen, 0.0, torch.finfo(states.dtype).min).to(states.dtype)

    finished = torch.zeros(rows, dtype=torch.bool)
    tokens: list[Tensor] = []
    decoded: list[Tensor] = []
    for step in range(max_new_tokens):
        token = _choose(decoder.logits(final), temperature, generator)
        tokens.append(token)
        finished |= token == end
        positions = (lengths + step).unsqueeze(1)
        mask = torch.cat([hidden, hidden.new_zeros(rows, step + 1)], dim=1)[:, None, None]
        state = decoder.lower(
            token.to(decoder.device).unsqueeze(1), positions=positions, mask=mask, cache=cache
        )
        decoded.append(state)
        if bool(finished.all()) or step == max_new_tokens - 1:
            break
        final = decoder.upper(state, positions=positions, mask=mask, cache=cache)[:, 0]
    return _cut(prompts, torch.stack(tokens, dim=1), states, torch.cat(decoded, dim=1), end)


def _choose(logits: Tensor, temperature: float, generator: torch.Generator) -> Tensor:
    """One token a row, drawn on the CPU so that the draw depends on the seed alone."""
    if temperature == 0.0:
        return logits.argmax(dim=-1).cpu()
    probabilities = torch.softmax(logits / temperature, dim=-1).cpu()
    return torch.multinomial(probabilities, 1, generator=generator).squeeze(1)


def _cut(
    prompts: Sequence[Sequence[int]], tokens: Tensor, states: Tensor, decoded: Tensor, end: int
) -> list[Rollout]:
    """The rollouts, each cut behind its first end of turn."""
    rollouts: list[Rollout] = []
    for row, prompt in enumerate(prompts):
        response = tokens[row].tolist()
        ended = end in response
        if ended:
            response = response[: response.index(end) + 1]
        kept = torch.cat([states[row, : len(prompt)], decoded[row, : len(response)]])
        rollouts.append(Rollout(prompt=tuple(prompt), response=tuple(response), ended=ended, states=kept))
    return rollouts

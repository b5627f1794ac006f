"""Gathers what an update learns from: responses that differ in what they are worth."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from tasks.training.reinforcement.actors import Actors
from tasks.training.reinforcement.experience import Experience, experience, rewarded
from tasks.training.reinforcement.rollouts import Group, answered, given
from tasks.training.reinforcement.worth import Prompt, Worth
from tasks.training.rlhf_settings import MODEL, SCORE, RlhfSettings

EQUAL = 1e-6  # responses whose worth differs by less are worth the same


@dataclass(frozen=True, slots=True, kw_only=True)
class Gathered:
    """Responses to `prompts`, as policy and reference see them.

    `learned` are the places of these prompts among the `drawn` ones; where no response differs from another,
    nothing is learned, and the experience is that of the first prompts, for the figures alone. `reward` and
    `score`, the mean worth and the mean score of the task, are over all that were drawn.
    """

    prompts: tuple[Prompt, ...]
    experience: Experience
    learned: tuple[int, ...]
    drawn: int
    reward: float
    score: float


class Sampler:
    """Samples responses of the policy in `actors`; the draws depend on `generator` alone."""

    def __init__(
        self,
        actors: Actors,
        worth: Worth,
        settings: RlhfSettings,
        *,
        end: int,
        generator: torch.Generator,
    ) -> None:
        self.generator = generator
        self._actors, self._worth, self._settings, self._end = actors, worth, settings, end

    def gather(self, prompts: Sequence[Prompt]) -> Gathered:
        """Responses of the policy as it is to as many of `prompts`, in order, as are needed to learn from.

        A group whose responses are all worth the same says nothing of which is better: it is drawn again
        (dynamic sampling: Yu et al. 2025, arXiv:2503.14476), until `rlhf.prompts` groups differ or `prompts`
        end. Where a single response is sampled, each teaches.
        """
        wanted = self._settings.prompts
        groups: list[Group] = []
        worths: list[Tensor] = []
        scores: list[Tensor] = []
        learned: list[int] = []
        for start in range(0, len(prompts), wanted):
            chunk = prompts[start : start + wanted]
            drawn = self.draw(chunk)
            worth, score = self.worth(chunk, drawn)
            learned += [start + place for place in instructive(worth, len(drawn[0].responses))]
            groups, worths, scores = groups + drawn, [*worths, worth], [*scores, score]
            if len(learned) >= wanted:
                break
        chosen, size = learned[:wanted], len(groups[0].responses)
        read = chosen or list(range(min(wanted, len(groups))))
        worth = torch.cat(worths)
        return Gathered(
            prompts=tuple(prompts[place] for place in read),
            experience=self.seen([groups[place] for place in read], worth.view(-1, size)[read].flatten()),
            learned=tuple(chosen),
            drawn=len(groups),
            reward=float(worth.mean()),
            score=float(torch.cat(scores).mean()),
        )

    def draw(self, prompts: Sequence[Prompt]) -> list[Group]:
        """Responses of the policy as it is, or those that `prompts` come with."""
        settings, decoder = self._settings, self._actors.decoder
        if settings.learns_from != "samples":
            return given(decoder, [(prompt.tokens, prompt.answers) for prompt in prompts])
        with self._actors.activate("policy"):
            return answered(
                decoder,
                [prompt.tokens for prompt in prompts],
                responses=settings.responses,
                end=self._end,
                max_new_tokens=settings.max_new_tokens,
                temperature=settings.temperature,
                generator=self.generator,
            )

    def worth(self, prompts: Sequence[Prompt], groups: Sequence[Group]) -> tuple[Tensor, Tensor]:
        """What each response is worth, and its score by the task, [responses]."""
        parts = self._worth.parts(prompts, groups)
        if self._settings.learns_from != "samples":
            return torch.tensor([worth for prompt in prompts for worth in prompt.worths]), parts[SCORE]
        if self._worth.asks_model:
            parts[MODEL] = rewarded(self._actors, groups).cpu()
        return self._worth.total(parts), parts[SCORE]

    def seen(self, groups: Sequence[Group], worth: Tensor) -> Experience:
        """The groups as policy and reference see them."""
        device = self._actors.decoder.device
        return experience(self._actors, groups, worth.to(device), temperature=self._settings.temperature)


def instructive(worth: Tensor, size: int) -> list[int]:
    """The places of the groups of `size` responses that are not all worth the same; of single ones, all."""
    grouped = worth.view(-1, size)
    if size == 1:
        return list(range(len(grouped)))
    spread = grouped.amax(dim=1) - grouped.amin(dim=1)
    return [place for place, value in enumerate(spread.tolist()) if value > EQUAL]

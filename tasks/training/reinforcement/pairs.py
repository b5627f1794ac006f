"""Preferences as prompts that come with two judged answers, with row accounting."""

from collections.abc import Sequence
from operator import attrgetter
from typing import TYPE_CHECKING

from deploy.assistant import Assistant
from tasks.rows.grounding import ground_preferences
from tasks.rows.records import Preference
from tasks.rows.sampling import stratified
from tasks.training.reinforcement.prompts import TOO_LONG, Prompts
from tasks.training.reinforcement.worth import Prompt
from tasks.training.rewards.pairs import TOO_LONG as PAIR_TOO_LONG
from tasks.training.rewards.pairs import tokenise

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


def choose_pairs(
    preferences: Sequence[Preference],
    count: int,
    assistant: Assistant,
    tokenizer: "PreTrainedTokenizerBase",
    *,
    max_length: int,
    seed: int,
) -> Prompts:
    """At most `count` of the pairs, each flaw in its share, whose rows have at most `max_length` tokens."""
    chosen = stratified(preferences, count, key=attrgetter("flaw"), seed=seed)
    pairs = tokenise(ground_preferences(chosen, assistant), tokenizer, max_length=max_length)
    rows = tuple(
        Prompt(
            tokens=row.prompt,
            example=pair.preference.better(pair.preference.id),
            target=row.chosen,
            answers=(row.chosen, row.rejected),
            worths=(1.0, 0.0),
        )
        for row, pair in zip(pairs.rows, pairs.examples, strict=True)
    )
    dropped = {TOO_LONG if why == PAIR_TOO_LONG else why: many for why, many in pairs.dropped.items()}
    return Prompts(
        kind="preference", rows=rows, entered=len(preferences), chosen=len(chosen), dropped=dropped
    )

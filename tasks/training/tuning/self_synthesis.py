"""General talk that a model writes itself: turns of a user, and its answers to them.

A chat model that is given the opening of a user's turn goes on with what users ask (Magpie, Xu et al. 2024,
arXiv:2406.08464), and answers it as it would have before any tuning (self-synthesized rehearsal, Huang et al.
2024, arXiv:2403.01244). Both are drawn from its whole distribution: an answer then teaches the model that
wrote it nothing on average, and holds back only what drifts away.
"""

import random
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from deploy.engines.chat import end_of_turn, prompt_ids
from deploy.engines.decoding import decode
from deploy.engines.engine import Sampling
from deploy.messages import Message, as_dicts
from tasks.scoring.probe import Gram, overlaps

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

TURN, ANSWER = 48, 64  # tokens at most; a longer turn is dropped, a longer answer is cut
BATCH = 32  # turns written at once
TRIES = 4  # turns written for each talk that is wanted, at most, beside one batch
IN_PROBE = "the probe of retention has the same words in a row"
REPEATED = "the prompt was written before"
OPEN_END = f"the prompt does not end within {TURN} tokens"


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """A written text; one that has not `ended` was cut by its length."""

    text: str
    ended: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Talk:
    """A prompt and its answer."""

    prompt: str
    answer: Text


@dataclass(frozen=True, slots=True, kw_only=True)
class Talks:
    """The talks that can be used, how many turns were `tried`, and why the others were dropped."""

    talks: tuple[Talk, ...]
    tried: int
    dropped: dict[str, int]


def write_talks(
    model: "PreTrainedModel",
    tokenizer: "PreTrainedTokenizerBase",
    count: int,
    *,
    seed: int,
    forbidden: Collection[Gram],
) -> Talks:
    """`count` talks that `model` writes; fewer if too few of its turns are of use.

    Equal models and seeds write equal talks. None has a run of words that is `forbidden`.
    """
    talks: list[Talk] = []
    dropped: Counter[str] = Counter()
    seen: set[str] = set()
    tried = 0
    while len(talks) < count and tried < TRIES * count + BATCH:
        numbers = range(tried, tried + BATCH)
        tried += BATCH
        asked: dict[int, str] = {}
        for number, turn in zip(numbers, turns(model, tokenizer, _seeds(seed, numbers)), strict=True):
            key = turn.text.casefold()
            if fault := fault_of_turn(turn) or (REPEATED if key in seen else ""):
                dropped[fault] += 1
            else:
                seen.add(key)
                asked[number] = turn.text
        replies = answers(model, tokenizer, list(asked.values()), _seeds(~seed, asked))
        for prompt, answer in zip(asked.values(), replies, strict=True):
            fault = fault_of_answer(answer)
            if not fault and overlaps((prompt, answer.text), forbidden):
                fault = IN_PROBE
            if fault:
                dropped[fault] += 1
            else:
                talks.append(Talk(prompt=prompt, answer=answer))
        print(f"{min(len(talks), count)} of {count} general rows written", flush=True)
    return Talks(talks=tuple(talks), tried=tried, dropped=dict(sorted(dropped.items())))


def turns(model: "PreTrainedModel", tokenizer: "PreTrainedTokenizerBase", seeds: Sequence[int]) -> list[Text]:
    """A user's turn for each of `seeds`: what the model says after the opening of one."""
    mark = "question"
    text = str(tokenizer.apply_chat_template(as_dicts([Message("user", mark)]), tokenize=False))
    opening = tokenizer.encode(text[: text.rindex(mark)], add_special_tokens=False)
    return _said(model, tokenizer, [opening] * len(seeds), seeds, TURN)


def answers(
    model: "PreTrainedModel",
    tokenizer: "PreTrainedTokenizerBase",
    prompts: Sequence[str],
    seeds: Sequence[int],
) -> list[Text]:
    """The answer of the model to each prompt, without any instruction beside it."""
    asked = [prompt_ids(tokenizer, [Message("user", prompt)]) for prompt in prompts]
    return _said(model, tokenizer, asked, seeds, ANSWER) if asked else []


def fault_of_turn(turn: Text) -> str:
    """Why a turn is no prompt to replay; empty if it is one."""
    if not turn.ended:
        return OPEN_END
    return "the prompt has less than three words" if len(turn.text.split()) < 3 else ""


def fault_of_answer(answer: Text) -> str:
    """Why an answer is none to replay; empty if it is one."""
    words = answer.text.casefold().split()
    if len(words) < 2:
        return "the answer has less than two words"
    runs = list(zip(words, words[1:], words[2:], strict=False))
    return "the answer repeats itself" if len(runs) > 2 * len(set(runs)) else ""


def _said(
    model: "PreTrainedModel",
    tokenizer: "PreTrainedTokenizerBase",
    prompts: Sequence[Sequence[int]],
    seeds: Sequence[int],
    most: int,
) -> list[Text]:
    ends = {end_of_turn(tokenizer), tokenizer.eos_token_id}
    said: list[list[int]] = [[] for _ in prompts]
    ended = [False] * len(prompts)

    def goes_on(row: int, token: int) -> bool:
        if token in ends:
            ended[row] = True
        else:
            said[row].append(token)
        return not ended[row]

    sampling = Sampling(max_new_tokens=most, temperature=1.0)
    for _ in decode(model, prompts, sampling=sampling, goes_on=goes_on, seeds=seeds):
        pass
    texts = [str(tokenizer.decode(tokens, skip_special_tokens=True)) for tokens in said]
    # A character that the end has torn apart is no text.
    return [
        Text(text=text.rstrip("\ufffd").strip(), ended=whole)
        for text, whole in zip(texts, ended, strict=True)
    ]


def _seeds(seed: int, numbers: Collection[int]) -> list[int]:
    """A seed for each number, so that a text does not depend on how many are written."""
    return [random.Random(f"{seed} {number}").getrandbits(63) for number in numbers]

"""The best of several answers, with no training at all: chosen by the reward model, or by the true score."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal, get_args

from benchmarks.algorithms.training import START
from deploy.answer import Layers
from deploy.assistant import Assistant
from deploy.engines.chat import answer_ids, load_tokenizer, prompt_ids
from deploy.engines.engine import Sampling
from tasks.evaluation.arms import Reply, Setup
from tasks.machine.device import Device
from tasks.rows.records import Example
from tasks.scoring.scores import score
from tasks.training.rewards.comparisons import Comparison
from tasks.training.rewards.ensemble import lowest_scores

LAYERS = Layers(prompt=True, retrieval=True)
Judge = Literal["reward model", "score"]
BY: tuple[Judge, ...] = get_args(Judge)


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidates:
    """Several sampled answers of the fine-tuned model to each question, drawn once for all that choose."""

    count: int
    drawn: dict[str, list[Reply]] = field(default_factory=dict)

    def to(self, questions: Sequence[Example], assistant: Assistant, sampling: Sampling) -> list[list[Reply]]:
        """The answers to each question; equal seeds draw equal ones."""
        new = [question for question in questions if question.id not in self.drawn]
        setup = Setup(name=START, model=START, layers=LAYERS)
        for turn in range(self.count if new else 0):
            hot = replace(sampling, temperature=1.0, seed=(sampling.seed or 0) + turn)
            for question, reply in zip(new, setup.replies(new, assistant, hot), strict=True):
                self.drawn.setdefault(question.id, []).append(reply)
        return [self.drawn[question.id] for question in questions]


@dataclass(frozen=True, slots=True, kw_only=True)
class BestOf:
    """An arm that answers with the best of the candidates, by the reward model or by the true score."""

    name: str
    by: Judge
    candidates: Candidates
    base: Path
    reward: Path
    device: Device

    @property
    def model(self) -> str:
        """The model that answers."""
        return START

    def replies(self, questions: Sequence[Example], assistant: Assistant, sampling: Sampling) -> list[Reply]:
        """The best reply to each question, in order."""
        replies = self.candidates.to(questions, assistant, sampling)
        if self.by == "score":
            worth = [
                [score(each, reply.text) for reply in own]
                for each, own in zip(questions, replies, strict=True)
            ]
        else:
            worth = self._rewards(questions, replies, assistant)
        best = [max(range(len(own)), key=own.__getitem__) for own in worth]
        return [own[place] for own, place in zip(replies, best, strict=True)]

    def _rewards(
        self, questions: Sequence[Example], replies: Sequence[Sequence[Reply]], assistant: Assistant
    ) -> list[list[float]]:
        tokenizer = load_tokenizer(self.base)
        composed = assistant.compose(
            [question.prompt for question in questions],
            layers=LAYERS,
            exclude=[question.withheld for question in questions],
        )
        rows = [
            Comparison(
                prompt=tuple(prompt_ids(tokenizer, prompt.messages)),
                answers=tuple(tuple(answer_ids(tokenizer, reply.text)) for reply in own),
                judged=(),
            )
            for prompt, own in zip(composed, replies, strict=True)
        ]
        return lowest_scores(self.base, self.reward, rows, self.device)

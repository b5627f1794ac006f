"""The arm of few-shot prompting: the base model is shown answered questions like the one that it is asked.

They stand as earlier turns before the conversation. Retrieval searches for the conversation alone.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property

from deploy.assistant import Assistant
from deploy.composed import coverages
from deploy.engines.engine import Sampling
from deploy.messages import Message
from tasks.evaluation.arms import Reply
from tasks.evaluation.questions import composed
from tasks.rows.grounding import ground
from tasks.rows.records import GENERAL_TASK, Example
from tasks.rows.sampling import stratified

LONGEST = 200  # words of an example with its answer: cutting a longer one would teach to stop halfway
POOL = 10_000  # rows that examples are chosen from; more are compared for seconds and bring nothing nearer


class FewShot:
    """The base model behind prompt and retrieval, with examples as earlier turns, the most similar last.

    Where a prompt is longer than `limit` by `tokens`, examples are left away, the least similar first.
    """

    name = "few_shot"
    model = "base"

    def __init__(
        self,
        pool: Sequence[Example],
        *,
        count: int,
        tokens: Callable[[Sequence[Message]], int],
        limit: int,
    ) -> None:
        self._pool, self._count = pool, count
        self._tokens, self._limit = tokens, limit
        self._answers: dict[str, str] = {}
        self._counts: dict[str, tuple[int, int]] = {}  # by question: shown, left away

    @property
    def lacks(self) -> str:
        """Why there is nothing to show; empty where there is."""
        if not self._count:
            return "evaluate.few_shot is 0"
        return "" if self._pool else "the training split has no row that can be shown"

    def replies(
        self, questions: Sequence[Example], assistant: Assistant, sampling: Sampling, /
    ) -> list[Reply]:
        """What the base model answers behind the examples."""
        started = time.perf_counter()
        found = composed(questions, assistant)
        prompts = [
            self._fitting(question, each.messages, examples)
            for question, each, examples in zip(
                questions, found, self._turns(questions, assistant), strict=True
            )
        ]
        said = assistant.engine.generate(
            prompts, model=self.model, sampling=sampling, coverage=coverages(found)
        )
        seconds = (time.perf_counter() - started) / max(len(questions), 1)
        return [
            Reply(text=one.text, sources=each.sources, finished=one.finished, seconds=seconds)
            for one, each in zip(said, found, strict=True)
        ]

    def figures(self) -> Mapping[str, int]:
        """How many examples were shown to all questions together, and how many had no room."""
        counts = self._counts.values()
        return {"shown": sum(shown for shown, _ in counts), "left_away": sum(left for _, left in counts)}

    def examples(self, questions: Sequence[Example]) -> list[list[Example]]:
        """The examples for each question, the most similar last, none of the question's own group."""
        ranked = self._similar.ranked([_asked(question) for question in questions])
        chosen: list[list[Example]] = []
        for question, places in zip(questions, ranked, strict=True):
            others = (self._pool[at] for at in places if self._pool[at].group != question.group)
            chosen.append([example for example, _ in zip(others, range(self._count), strict=False)][::-1])
        return chosen

    @cached_property
    def _similar(self) -> "Similar":
        return Similar([_asked(example) for example in self._pool])

    def _turns(self, questions: Sequence[Example], assistant: Assistant) -> list[list[tuple[Message, ...]]]:
        """The examples of each question as turns; the answers are those that fine-tuning learns from."""
        chosen = self.examples(questions)
        new = {e.id: e for examples in chosen for e in examples if e.id not in self._answers}
        self._answers |= {each.example.id: each.target for each in ground(list(new.values()), assistant)}
        return [[_as_turns(example, self._answers[example.id]) for example in each] for each in chosen]

    def _fitting(
        self, question: Example, messages: Sequence[Message], examples: Sequence[tuple[Message, ...]]
    ) -> tuple[Message, ...]:
        shown = list(examples)
        prompt = before_conversation(messages, shown)
        while shown and self._tokens(prompt) > self._limit:
            prompt = before_conversation(messages, shown := shown[1:])
        self._counts[question.id] = len(shown), len(examples) - len(shown)
        return prompt


class Similar:
    """Ranks texts by the pieces of words that they share with another (TF-IDF of 3 to 5 characters)."""

    def __init__(self, texts: Sequence[str]) -> None:
        from sklearn.feature_extraction.text import TfidfVectorizer

        self._vectorizer = TfidfVectorizer(analyzer="char_wb", ngram_range=(3, 5), sublinear_tf=True)
        self._matrix = self._vectorizer.fit_transform(texts)

    def ranked(self, texts: Sequence[str]) -> list[list[int]]:
        """For each of `texts` the places of all others, the most similar first; equals in their order."""
        likeness = (self._vectorizer.transform(texts) @ self._matrix.T).toarray()
        order = (-likeness).argsort(axis=1, kind="stable")
        return [[int(place) for place in row] for row in order]


def showable(train: Sequence[Example]) -> list[Example]:
    """The rows of the training split that may be shown: of the task, not held out, short; at most `POOL`."""
    rows = [
        row
        for row in sorted(train, key=lambda row: row.id)
        if row.task != GENERAL_TASK
        and not row.held_out
        and _asked(row).strip()
        and _num_words(row) <= LONGEST
    ]
    return stratified(rows, POOL, key=lambda row: f"{row.task} {row.answerable}", seed=0)


def before_conversation(
    messages: Sequence[Message], examples: Sequence[Sequence[Message]]
) -> tuple[Message, ...]:
    """`messages` with the turns of `examples` behind the system turns at their head."""
    start = next((at for at, message in enumerate(messages) if message.role != "system"), len(messages))
    return (*messages[:start], *(turn for turns in examples for turn in turns), *messages[start:])


def _as_turns(example: Example, answer: str) -> tuple[Message, ...]:
    said = [message for message in example.prompt if message.role != "system"]
    return (*said, Message("assistant", answer))


def _asked(example: Example) -> str:
    return "\n".join(message.content for message in example.prompt if message.role == "user")


def _num_words(example: Example) -> int:
    return sum(len(message.content.split()) for message in example.messages)

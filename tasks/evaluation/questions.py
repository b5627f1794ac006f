"""Which questions the ledger asks, and what a constant answer would score on them."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from deploy.abstention import ABSTENTION
from deploy.answer import Layers
from deploy.assistant import Assistant
from deploy.composed import Composed
from deploy.messages import Message
from tasks.rows.held_out import own_name
from tasks.rows.records import Example
from tasks.rows.reports import RowCount, row_counts
from tasks.rows.sampling import stratified
from tasks.scoring.scores import best_constant, frequent_answers, score

CONSTANTS = 10  # the most frequent answers that are tried as the constant one


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """The questions that every arm answers, and how many tokens the longest prompt of each has."""

    questions: tuple[Example, ...]
    lengths: tuple[int, ...]


def draw_questions(examples: Sequence[Example], count: int, *, seed: int) -> list[Example]:
    """All questions of the user's own and `count` of the others (or all, if fewer), sorted by id.

    Of the others each name that rows are held out for has an equal part, and so have the rows that are not
    held out; within a part each task and the unanswerable ones are at their share. Equal examples and seed
    give the same draw, whatever their order.
    """
    # A test set of the user's own is small and is what counts: part of it would be another, of no version.
    own = [example for example in examples if own_name(example)]
    parts: defaultdict[str, list[Example]] = defaultdict(list)
    for example in sorted(examples, key=lambda example: example.id):
        if not own_name(example):
            parts[example.held_out].append(example)
    counts = equal_parts({name: len(part) for name, part in parts.items()}, count)
    drawn = [
        example
        for name, part in parts.items()
        for example in stratified(part, counts[name], key=lambda e: f"{e.task} {e.answerable}", seed=seed)
    ]
    return sorted(own + drawn, key=lambda example: example.id)


def equal_parts(sizes: Mapping[str, int], count: int) -> dict[str, int]:
    """How many of `count` each part gives: all the same, but that a small one leaves its rest to the others.

    What cannot be divided goes to the largest.
    """
    given: dict[str, int] = {}
    for waiting, name in zip(range(len(sizes), 0, -1), sorted(sizes, key=sizes.__getitem__), strict=True):
        given[name] = min(sizes[name], (count - sum(given.values())) // waiting)
    return given


def askable(
    questions: Sequence[Example],
    assistant: Assistant,
    tokens: Callable[[Sequence[Message]], int],
    *,
    limit: int,
) -> Asked:
    """The questions whose prompt, with all that retrieval adds to it, has at most `limit` tokens.

    The others are left out for all arms, so that the arms stay comparable.
    """
    lengths = [tokens(each.messages) for each in composed(questions, assistant)]
    kept = [place for place, length in enumerate(lengths) if length <= limit]
    return Asked(
        questions=tuple(questions[place] for place in kept), lengths=tuple(lengths[place] for place in kept)
    )


def composed(questions: Sequence[Example], assistant: Assistant) -> list[Composed]:
    """The prompt of each question with instructions and sources, as a model is asked it."""
    return assistant.compose(
        [question.prompt for question in questions],
        layers=Layers(prompt=True, retrieval=True),
        exclude=[question.withheld for question in questions],
    )


def counted(*, test: int, drawn: int, asked: int) -> list[RowCount]:
    """What became of the examples of the test split."""
    unused = {"over evaluate.questions": test - drawn, "longer than the model's context": drawn - asked}
    return row_counts("example", test, kept=asked, unused=unused)


def majority(train: Sequence[Example], questions: Sequence[Example]) -> tuple[str, float]:
    """The constant answer that scores best on `train`, and what it scores on `questions`."""
    candidates = [ABSTENTION, *frequent_answers(train, CONSTANTS)]
    text = best_constant(train, candidates) if train else ABSTENTION
    return text, sum(score(question, text) for question in questions) / len(questions)

"""From answers to the rows of the ledger: means, intervals, and whether a layer helps."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence

from tasks.evaluation.answers import AnsweredQuestion, ArmAnswer
from tasks.evaluation.arms import Answered
from tasks.evaluation.ledger import (
    AGAINST,
    FOLLOW_UPS,
    RULE,
    TUNED,
    Arm,
    Difference,
    Subset,
    subset_name,
)
from tasks.rows.grounding import cited_source
from tasks.rows.held_out import own_name
from tasks.rows.records import Example
from tasks.scoring.scores import Interval, bootstrap, verdict


def arms(
    answered: Mapping[str, Sequence[Answered]],
    *,
    retention: Mapping[str, float],
    divergence: Mapping[str, Interval],
    latency: Mapping[str, float | None],
    resamples: int,
    seed: int,
    further: Mapping[str, Sequence[Answered]] | None = None,
) -> dict[str, Arm]:
    """The ledger's row of each arm, over what counts; all arms answered the same questions in the same order.

    `retention` and `divergence` are by arm, and lack those without a model. `further` are the answers of two
    arms to more questions: their difference is over these, too.
    """
    result: dict[str, Arm] = {}
    counted = {name: that_count(answers) for name, answers in answered.items()}
    both = {name: [*counted[name], *answers] for name, answers in (further or {}).items()}
    for name, answers in counted.items():
        interval = bootstrap([answer.score for answer in answers], resamples=resamples, seed=seed)
        result[name] = Arm(
            score=round(interval.mean, 4),
            low=round(interval.low, 4),
            high=round(interval.high, 4),
            n=len(answers),
            abstention=_abstention(answers, answerable=False),
            false_abstention=_abstention(answers, answerable=True),
            citation_validity=citation_validity(answers),
            citation_precision=citation_precision(answers),
            retention=_rounded(retention.get(name)),
            divergence=_rounded_interval(divergence.get(name)),
            latency_ms=latency[name],
            unfinished=_share([not answer.finished for answer in answers]) or 0.0,
            tasks=by_task(answers),
            difference=difference(
                name,
                AGAINST.get(name),
                both if {name, AGAINST.get(name)} <= set(both) else counted,
                resamples=resamples,
                seed=seed,
            ),
            over_rule=difference(
                name, RULE if name in TUNED else None, counted, resamples=resamples, seed=seed
            ),
            subsets=subsets(answered[name], resamples=resamples, seed=seed),
        )
    return result


def that_count(answers: Sequence[Answered]) -> list[Answered]:
    """The answers that a row of the ledger is over: those to the user's own questions, or all without any."""
    return [answer for answer in answers if own_name(answer.example)] or list(answers)


def subsets(answers: Sequence[Answered], *, resamples: int, seed: int) -> dict[str, Subset]:
    """What an arm scored on each subset of the questions; none where all of them are of one."""
    result: dict[str, Subset] = {}
    for name, part in _by_subset(answers).items():
        interval = bootstrap([answer.score for answer in part], resamples=resamples, seed=seed)
        result[name] = Subset(
            score=round(interval.mean, 4),
            low=round(interval.low, 4),
            high=round(interval.high, 4),
            n=len(part),
            abstention=_abstention(part, answerable=False),
            false_abstention=_abstention(part, answerable=True),
        )
    return result


def subset_names(example: Example) -> set[str]:
    """The subsets that a question is in: what it is held out for, and the follow-ups where it is one."""
    asked = sum(message.role == "user" for message in example.prompt)
    return {subset_name(example.held_out)} | ({FOLLOW_UPS} if asked > 1 else set())


def difference(
    name: str,
    against: str | None,
    answered: Mapping[str, Sequence[Answered]],
    *,
    resamples: int,
    seed: int,
) -> Difference | None:
    """How much better an arm answers than the arm `against`, question by question; None without that."""
    if against is None or against not in answered:
        return None
    pairs = zip(answered[name], answered[against], strict=True)
    values = [one.score - other.score for one, other in pairs]
    interval = bootstrap(values, resamples=resamples, seed=seed)
    return Difference(
        against=against,
        mean=round(interval.mean, 4),
        low=round(interval.low, 4),
        high=round(interval.high, 4),
        verdict=verdict(interval),
        n=len(values),
    )


def by_task(answers: Sequence[Answered]) -> dict[str, float]:
    """The mean score of each task; answerable and unanswerable questions of one task stand apart."""
    scores: defaultdict[str, list[float]] = defaultdict(list)
    for answer in answers:
        scores[task_name(answer.example)].append(answer.score)
    return {task: round(sum(values) / len(values), 4) for task, values in sorted(scores.items())}


def task_name(example: Example) -> str:
    """The task, with `withheld` for a question whose documents are hidden from retrieval."""
    return "withheld" if example.withheld else example.task


def task_counts(questions: Iterable[Example]) -> dict[str, int]:
    """How many questions there are of each task."""
    return dict(sorted(Counter(map(task_name, questions)).items()))


def recall(answers: Sequence[Answered]) -> float | None:
    """The share of the answerable questions with evidence for which a chunk with the quote was found."""
    return _share(
        [
            cited_source(answer.example, answer.sources) is not None
            for answer in answers
            if answer.example.answerable and answer.example.evidence
        ]
    )


def recalls(answers: Sequence[Answered]) -> dict[str, float]:
    """The recall of each subset in which an answerable question has evidence."""
    found = {name: recall(part) for name, part in _by_subset(answers).items()}
    return {name: share for name, share in found.items() if share is not None}


def citation_validity(answers: Iterable[Answered]) -> float | None:
    """The share of answers that cite, and cite only numbers that are among their sources.

    Answers that abstain or had no sources do not count; None if none is left.
    """
    return _share(
        [
            bool(answer.numbers) and all(1 <= number <= len(answer.sources) for number in answer.numbers)
            for answer in answers
            if answer.sources and not answer.abstained
        ]
    )


def citation_precision(answers: Iterable[Answered]) -> float | None:
    """The share of citations whose source is of a document that answers the question.

    A number that is not among the sources counts as wrong. Answers that abstain do not count.
    """
    return _share(
        [
            1 <= number <= len(answer.sources)
            and answer.sources[number - 1].document in answer.example.evidence
            for answer in answers
            if answer.sources and not answer.abstained
            for number in answer.numbers
        ]
    )


def answer_lines(answered: Mapping[str, Sequence[Answered]]) -> list[AnsweredQuestion]:
    """The questions with the answers of all arms side by side."""
    first = next(iter(answered.values()))
    return [
        AnsweredQuestion(
            id=question.example.id,
            task=task_name(question.example),
            answerable=question.example.answerable,
            question=_asked(question.example),
            gold=question.example.answer,
            arms={name: _arm_answer(answers[position]) for name, answers in answered.items()},
        )
        for position, question in enumerate(first)
    ]


def _by_subset(answers: Sequence[Answered]) -> dict[str, list[Answered]]:
    """The answers of each subset; empty where all are of one."""
    members: defaultdict[str, list[Answered]] = defaultdict(list)
    for answer in answers:
        for name in subset_names(answer.example):
            members[name].append(answer)
    return dict(members) if len(members) > 1 else {}


def _arm_answer(answer: Answered) -> ArmAnswer:
    return ArmAnswer(
        text=answer.text,
        score=round(answer.score, 4),
        abstained=answer.abstained,
        citations=answer.numbers,
        sources=tuple(source.title for source in answer.sources),
    )


def _asked(example: Example) -> str:
    """The question; one that follows up others stands behind them."""
    return " \u2192 ".join(message.content for message in example.prompt if message.role == "user")


def _abstention(answers: Iterable[Answered], *, answerable: bool) -> float | None:
    return _share([answer.abstained for answer in answers if answer.example.answerable is answerable])


def _share(values: Sequence[bool]) -> float | None:
    return _rounded(sum(values) / len(values) if values else None)


def _rounded_interval(interval: Interval | None) -> Interval | None:
    if interval is None:
        return None
    return Interval(mean=round(interval.mean, 4), low=round(interval.low, 4), high=round(interval.high, 4))


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)

"""Protects the fairness of the ledger: each arm answers the same questions, with its own layers."""

from collections.abc import Collection, Sequence

import pytest

from deploy.abstention import ABSTENTION
from deploy.assistant import Assistant
from deploy.knowledge.hits import Hit
from deploy.messages import Message
from deploy.prompts.template import load_template
from deploy.settings import GenerationSettings
from tasks.evaluation.arms import SETUPS, Replies, Respondent, ask_all, batches
from tasks.evaluation.few_shot import FewShot
from tasks.evaluation.figures import answer_lines, arms, recall
from tasks.evaluation.ledger import AGAINST, NAMES
from tasks.evaluation.questions import askable
from tasks.evaluation.rule import Rule
from tasks.evaluation.settings import EvaluateSettings
from tasks.machine.progress import parse_progress
from tasks.rows.records import Example
from tasks.scoring.scores import Interval
from tests.deploy.engines.scripted import ScriptedEngine
from tests.tasks.rows.made import question

GENERATION = GenerationSettings(max_new_tokens=8, temperature=0.0, top_p=1.0)
SETTINGS = EvaluateSettings(
    questions=6,
    rlhf_questions=0,
    batch_size=2,
    bootstrap=200,
    latency_requests=1,
    base_max_new_tokens=5,
    parity_answers=0,
    few_shot=2,
)


def example(number: int, *, answerable: bool = True) -> Example:
    name, asked, document = f"q{number}", f"What is the default of p{number}?", f"d{number}"
    if not answerable:
        return question(name, asked, ABSTENTION, task="withheld", withheld=(document,), answerable=False)
    known = {"evidence": (document,), "quote": f"p{number}={number}"}
    return question(name, asked, f"`{number}`", task="default", **known)


class Shelf:
    """A knowledge of ten documents that finds the one with the number asked for, unless it is excluded."""

    def search(
        self,
        queries: Sequence[str],
        *,
        before: Sequence[str] | None = None,
        exclude: Sequence[Collection[str]] | None = None,
    ) -> list[list[Hit]]:
        found = []
        for query, hidden in zip(queries, exclude or [()] * len(queries), strict=True):
            number = query.rstrip("?").split("p")[-1]
            documents = [f"d{number}", "d9"]
            found.append([self._hit(document) for document in documents if document not in hidden])
        return found

    @staticmethod
    def _hit(document: str) -> Hit:
        text = f"{document} p{document[1:]}={document[1:]}"
        return Hit(chunk=1, document=document, uri="", title=f"title of {document}", text=text, score=1.0)


def assistant(engine: ScriptedEngine) -> Assistant:
    return Assistant(engine, Shelf(), load_template("assistant"), GENERATION)


QUESTIONS = [example(n) for n in range(4)] + [example(n, answerable=False) for n in (4, 5)]
ANSWERS = {
    "p0?": "`0` [1]",
    "p1?": "`1` [2]",
    "p2?": "`7` [9]",
    "p4?": "`4` and a long text that does not end in time",
}


WITH_MODEL = [name for name in NAMES if name != "rule"]
TRAIN = [example(n) for n in (6, 7, 8)]


def length(messages: Sequence[Message]) -> int:
    return len(messages[-1].content)


def everyone() -> list[Respondent]:
    few_shot = FewShot(TRAIN, count=SETTINGS.few_shot, tokens=length, limit=10_000)
    every: dict[str, Respondent] = {each.name: each for each in (*SETUPS, few_shot, Rule())}
    return [every[name] for name in NAMES]


def measured(engine: ScriptedEngine, same: dict[str, str] | None = None) -> Replies:
    said = assistant(engine)
    asked = askable(QUESTIONS, said, length, limit=10_000)
    return ask_all(everyone(), asked, said, SETTINGS, seed=1, same=same)


def test_each_arm_answers_all_questions_in_order_with_its_own_layers() -> None:
    engine = ScriptedEngine(ANSWERS)
    result = measured(engine)
    assert list(result.answered) == list(NAMES)
    for answers in result.answered.values():
        assert [answer.example.id for answer in answers] == [row.id for row in QUESTIONS]
    assert all(not answer.sources for answer in result.answered["sft_closed_book"])
    for name in ("rlhf", "few_shot", "rule"):
        assert [len(answer.sources) for answer in result.answered[name]] == [2, 2, 2, 2, 1, 1]
    bare = [prompt for prompt in engine.asked if len(prompt) == 1]
    assert len(bare) == len(QUESTIONS) + SETTINGS.latency_requests  # the arm `base`, and nobody else


def test_a_model_that_equals_another_is_not_asked_again() -> None:
    both, once = ScriptedEngine(ANSWERS), ScriptedEngine(ANSWERS)
    result, spared = measured(both), measured(once, {"rlhf": "sft"})
    assert spared.answered == result.answered
    assert spared.latency_ms["rlhf"] == spared.latency_ms["sft"]
    assert len(both.asked) - len(once.asked) == len(QUESTIONS) + SETTINGS.latency_requests


def test_withheld_documents_are_never_among_the_sources() -> None:
    result = measured(ScriptedEngine(ANSWERS))
    for answers in result.answered.values():
        for answer in answers:
            assert not {source.document for source in answer.sources} & set(answer.example.withheld)


def test_the_figures_follow_from_the_answers() -> None:
    result = measured(ScriptedEngine(ANSWERS))
    rows = arms(
        result.answered,
        retention=dict.fromkeys(WITH_MODEL, 1.0),
        divergence=dict.fromkeys(WITH_MODEL, Interval(mean=0.12344, low=0.1, high=0.2)),
        latency=result.latency_ms,
        resamples=SETTINGS.bootstrap,
        seed=1,
    )
    sft = rows["sft"]
    # q0 and q1 are right, q2 is wrong, q3 abstains wrongly, q4 invents, q5 abstains rightly.
    assert sft.score == pytest.approx(3 / 6)
    assert (sft.abstention, sft.false_abstention) == (0.5, 0.25)
    assert sft.citation_validity == pytest.approx(2 / 4)  # q2 cites no source of its own, q4 cites nothing
    assert sft.citation_precision == pytest.approx(1 / 3, abs=1e-4)
    assert sft.tasks == {"default": 0.5, "withheld": 0.5}
    assert sft.unfinished == pytest.approx(1 / 6, abs=1e-4)
    assert sft.latency_ms is not None
    assert sft.divergence == Interval(mean=0.1234, low=0.1, high=0.2)
    assert (rows["rule"].retention, rows["rule"].divergence) == (None, None)
    assert rows["rule"].latency_ms is not None
    assert rows["base"].citation_validity is None
    assert rows["base"].difference is None
    assert {name: row.difference.against for name, row in rows.items() if row.difference} == AGAINST
    assert sft.difference is not None
    assert (sft.difference.mean, sft.difference.verdict) == (0.0, "does not help")
    over_rule = {name: row.over_rule for name, row in rows.items() if row.over_rule}
    assert list(over_rule) == ["sft", "rlhf"]
    assert over_rule["sft"].against == "rule"
    assert over_rule["sft"].mean == pytest.approx(sft.score - rows["rule"].score, abs=1e-3)
    assert recall(result.answered["retrieval"]) == 1.0
    assert recall(result.answered["base"]) == 0.0


def test_an_untuned_model_may_talk_as_long_as_its_own_setting_says() -> None:
    result = measured(ScriptedEngine(ANSWERS))
    assert result.answered["retrieval"][4].text == "`4` and a long text"
    assert result.answered["sft"][4].text == "`4` and a long text that does not"


def test_answers_stand_side_by_side_with_the_titles_of_their_sources() -> None:
    lines = answer_lines(measured(ScriptedEngine(ANSWERS)).answered)
    assert [line.id for line in lines] == [row.id for row in QUESTIONS]
    assert list(lines[0].arms) == list(NAMES)
    assert lines[0].arms["sft"].citations == (1,)
    assert lines[0].arms["sft"].sources == ("title of d0", "title of d9")
    assert lines[2].arms["sft"].citations == (9,)  # a number without a source is kept, to be seen


def test_progress_counts_answers_over_all_arms(capsys: pytest.CaptureFixture[str]) -> None:
    measured(ScriptedEngine(ANSWERS))
    step = parse_progress(capsys.readouterr().out.splitlines()[-1])
    assert step is not None
    assert step.done == step.total == len(NAMES) * (len(QUESTIONS) + 1)


def test_batches_hold_like_lengths_and_everything_once() -> None:
    assert batches([3, 9, 1, 7, 5], 2) == [[1, 3], [4, 0], [2]]
    assert batches([], 2) == []

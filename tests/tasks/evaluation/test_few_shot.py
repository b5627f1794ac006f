"""Protects few-shot prompting: which examples are shown, in which order, and that nothing else changes."""

from collections.abc import Sequence

from deploy.abstention import ABSTENTION
from deploy.messages import Message
from tasks.evaluation.few_shot import LONGEST, FewShot, Similar, before_conversation, showable
from tasks.rows.records import GENERAL_TASK, Example
from tests.deploy.engines.scripted import ScriptedEngine
from tests.tasks.evaluation.test_arms import QUESTIONS, assistant, example
from tests.tasks.rows.made import question

POOL = [
    question("a", "Who may enter the building at night?", "Guards."),
    question("b", "What is the default of `C` in `svm.NuSVC`?", "`1`"),
    question("c", "When is the building closed?", "At ten."),
    question("d", "What is the default of `tol` in `svm.NuSVC`?", "`2`"),
]

EARLIER = (Message("user", "What is the default of p0?"), Message("assistant", "`0` [1]"))


def words(messages: Sequence[Message]) -> int:
    return sum(len(message.content.split()) for message in messages)


def few_shot(pool: Sequence[Example], count: int = 2, limit: int = 10_000) -> FewShot:
    return FewShot(pool, count=count, tokens=words, limit=limit)


def test_the_most_similar_examples_are_shown_the_most_similar_last() -> None:
    asked = [
        question("q", "What is the default of `C` in `svm.SVC`?"),
        question("r", "Which building is closed?"),
    ]
    chosen = few_shot(POOL).examples(asked)
    assert [[row.id for row in rows] for rows in chosen] == [["d", "b"], ["a", "c"]]


def test_a_question_is_never_shown_itself_nor_a_row_of_its_group() -> None:
    twin = question("twin", POOL[1].prompt[0].content, "`1`", group="b")
    for asked in (POOL[1], twin):
        [chosen] = few_shot(POOL, count=4).examples([asked])
        assert [row.id for row in chosen][-1] == "d"
        assert len(chosen) == 3


def test_rows_that_are_held_out_general_or_long_are_not_shown() -> None:
    rows = [
        question("held", held_out="unseen wording"),
        question("general", task=GENERAL_TASK),
        question("long", answer="word " * LONGEST),
        question("empty", " "),
        question("good"),
    ]
    assert [row.id for row in showable(rows)] == ["good"]


def test_there_is_nothing_to_show_without_rows_or_when_none_is_wanted() -> None:
    assert few_shot(POOL).lacks == ""
    assert few_shot(POOL, count=0).lacks == "evaluate.few_shot is 0"
    assert few_shot([]).lacks == "the training split has no row that can be shown"


def test_examples_stand_before_the_conversation_with_the_answers_that_their_sources_allow() -> None:
    engine = ScriptedEngine({"p1?": "`1` [1]"})
    said = assistant(engine)
    pool = [example(7), example(8, answerable=False)]
    asked = question("q", messages=(*EARLIER, Message("user", "And p1?"), Message("assistant", "`1`")))
    [reply] = few_shot(pool).replies([asked], said, said.sampling)
    [prompt] = engine.asked
    assert [message.role for message in prompt] == ["system", *["user", "assistant"] * 3, "user"]
    shown = {prompt[1].content: prompt[2].content, prompt[3].content: prompt[4].content}
    assert shown == {"What is the default of p7?": "`7` [1]", "What is the default of p8?": ABSTENTION}
    assert prompt[5:7] == EARLIER
    assert "[1] d1 p1=1" in prompt[7].content  # retrieval searches for the question, not for the examples
    assert (reply.text, [source.document for source in reply.sources]) == ("`1` [1]", ["d1", "d9"])


def test_examples_without_room_are_left_away_the_least_similar_first_and_counted() -> None:
    engine = ScriptedEngine({})
    said = assistant(engine)
    pool = [question("far", "Who is there?", "Nobody."), example(7)]
    shown = few_shot(pool)
    shown.replies(QUESTIONS[:1], said, said.sampling)
    whole = words(engine.asked[-1])
    assert shown.figures() == {"shown": 2, "left_away": 0}
    shown = few_shot(pool, limit=whole - 1)
    shown.replies(QUESTIONS[:1], said, said.sampling)
    assert [message.content for message in engine.asked[-1]][1:-1] == [
        "What is the default of p7?",
        "`7` [1]",
    ]
    assert shown.figures() == {"shown": 1, "left_away": 1}
    shown = few_shot(pool, limit=1)
    shown.replies(QUESTIONS[:1] * 2, said, said.sampling)
    assert len(engine.asked[-1]) == 2  # what retrieval alone would ask
    assert shown.figures() == {"shown": 0, "left_away": 2}


def test_examples_open_a_conversation_that_no_system_turn_does() -> None:
    asked, turns = [Message("user", "Why?")], [[Message("user", "How?"), Message("assistant", "So.")]]
    assert [message.content for message in before_conversation(asked, turns)] == ["How?", "So.", "Why?"]


def test_equally_similar_texts_keep_their_order() -> None:
    assert Similar(["one", "two", "one"]).ranked(["one", "none of it"])[0] == [0, 2, 1]

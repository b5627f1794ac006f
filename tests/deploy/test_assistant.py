"""Protects the assistant: each layer can be switched off, and only sources that were shown can be cited."""

from dataclasses import replace

import pytest

from deploy.answer import Answer, Layers
from deploy.assistant import Assistant
from deploy.errors import EngineError, KnowledgeError, QuestionError
from deploy.knowledge.hits import Hit
from deploy.messages import Message
from deploy.prompts.template import load_template
from deploy.settings import GenerationSettings
from tests.deploy.engines.scripted import ScriptedEngine
from tests.deploy.knowledge.listed import reader

HITS = [
    Hit(chunk=n, document=f"d{n}", uri="u", title=f"t{n}", text=f"text {n}", score=1 / n) for n in range(1, 5)
]
GENERATION = GenerationSettings(max_new_tokens=20, temperature=0.0, top_p=1.0)
TALK = [Message("user", "What is x?")]


def test_sources_are_numbered_from_one_without_the_excluded() -> None:
    first, second = reader(HITS).compose([TALK, TALK], layers=Layers(), exclude=[[], ["d1"]])
    assert [(source.number, source.document) for source in first.sources] == [(1, "d1"), (2, "d2"), (3, "d3")]
    assert [(source.number, source.document) for source in second.sources] == [
        (1, "d2"),
        (2, "d3"),
        (3, "d4"),
    ]
    assert "[1] text 2" in second.messages[-1].content


def test_with_both_layers_off_the_bare_question_is_asked() -> None:
    [composed] = reader(HITS).compose([TALK], layers=Layers(prompt=False, retrieval=False))
    assert list(composed.messages) == TALK
    assert composed.sources == ()


def test_the_engine_is_told_the_best_coverage_of_the_shown_sources() -> None:
    hits = [replace(hit, coverage=share) for hit, share in zip(HITS, (0.2, 0.6, 0.1, 0.9), strict=True)]
    engine = ScriptedEngine({})
    answering = reader(hits, engine)
    answering.answer([TALK, TALK], model="sft", layers=Layers(), exclude=[[], ["d2"]])
    list(answering.stream(TALK, model="sft", layers=Layers(prompt=False)))
    assert engine.coverage == [0.6, 0.9, 0.6]  # three of them are shown
    assert [each.coverage for each in answering.compose([TALK], layers=Layers())] == [0.6]


def test_without_retrieval_there_is_no_coverage_and_without_a_hit_none_is_covered() -> None:
    engine = ScriptedEngine({})
    reader(HITS, engine).answer([TALK], model="sft", layers=Layers(retrieval=False))
    list(reader(HITS, engine).stream(TALK, model="sft", layers=Layers(retrieval=False)))
    reader([], engine).answer([TALK], model="sft", layers=Layers())
    assert engine.coverage == [None, None, 0.0]
    assert reader(HITS).compose_over(TALK, []).coverage is None


def test_a_mark_without_a_source_is_no_citation() -> None:
    answering = reader(HITS, ScriptedEngine({"What is x?": "It is `1` [2] [9] [2] [1]."}))
    [answer] = answering.answer([TALK], model="sft", layers=Layers())
    assert answer.citations == (2, 1)
    [closed] = answering.answer([TALK], model="sft", layers=Layers(retrieval=False))
    assert closed.citations == ()


def test_a_stream_ends_with_the_same_answer() -> None:
    answering = reader(HITS, ScriptedEngine({"What is x?": "It is `1` [2]."}))
    *pieces, last = answering.stream(TALK, model="sft", layers=Layers())
    [answer] = answering.answer([TALK], model="sft", layers=Layers())
    assert isinstance(last, Answer)
    assert "".join(piece.text for piece in pieces) == last.text == answer.text
    assert (last.citations, last.sources) == (answer.citations, answer.sources)


def test_without_knowledge_or_engine_it_says_so() -> None:
    bare = Assistant(None, None, load_template("assistant"), GENERATION)
    assert bare.compose([TALK], layers=Layers(retrieval=False))
    with pytest.raises(KnowledgeError, match="no knowledge is loaded"):
        bare.compose([TALK], layers=Layers())
    with pytest.raises(EngineError, match="has no engine"):
        bare.answer([TALK], model="base", layers=Layers(retrieval=False))


@pytest.mark.parametrize("layers", [Layers(), Layers(prompt=False, retrieval=False)])
@pytest.mark.parametrize(
    "talk",
    [
        [],
        [Message("user", " ")],
        [Message("system", "Be kind.")],
        [Message("user", "Hi"), Message("assistant", "Ho")],
    ],
)
def test_what_asks_nothing_is_refused_before_anything_is_searched(
    talk: list[Message], layers: Layers
) -> None:
    engine = ScriptedEngine({})
    assistant = Assistant(engine, None, load_template("assistant"), GENERATION)  # a search would fail
    with pytest.raises(QuestionError, match=r"is asked|is empty"):
        assistant.answer([talk], model="base", layers=layers)
    with pytest.raises(QuestionError, match=r"is asked|is empty"):
        list(assistant.stream(talk, model="base", layers=layers))
    assert engine.asked == []

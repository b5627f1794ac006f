"""Protects the room for sources: whole ones, the best of them, and what finds no room is counted."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from deploy.answer import Answer, Layers
from deploy.engines.engine import Sampling
from deploy.engines.local import TransformersEngine
from deploy.errors import ContextLengthError
from deploy.knowledge.hits import Hit
from deploy.messages import Message
from tests.deploy.engines.scripted import ScriptedEngine
from tests.deploy.knowledge.listed import reader

FOUND = [Hit(chunk=n, document=f"d{n}", uri="u", title=f"t{n}", text="", score=1 / n) for n in range(1, 4)]
TALK = [Message("user", "What is x?")]
HITS = [
    Hit(
        chunk=n, document=f"d{n}", uri="u", title=f"t{n}", text=f"text {n} " * 40, score=1 / n, coverage=n / 4
    )
    for n in range(1, 4)
]


class NarrowEngine(ScriptedEngine):
    """One whose prompts have at most so many words."""

    def __init__(self, words: int) -> None:
        super().__init__({})
        self.words = words

    def check(self, prompt: Sequence[Message], *, model: str, sampling: Sampling) -> None:
        """Count words."""
        if sum(len(turn.content.split()) for turn in prompt) > self.words:
            raise ContextLengthError("too long")


def words(shown: int) -> int:
    """Of the prompt with so many of the sources."""
    [composed] = reader(HITS[:shown]).compose([TALK], layers=Layers())
    return sum(len(turn.content.split()) for turn in composed.messages)


@pytest.mark.parametrize("shown", [0, 1, 2, 3])
def test_the_best_sources_are_shown_whole_as_far_as_there_is_room(shown: int) -> None:
    engine = NarrowEngine(words(shown))
    assistant = reader(HITS, engine)
    *_, streamed = assistant.stream(TALK, model="sft", layers=Layers())
    [answered] = assistant.answer([TALK], model="sft", layers=Layers())
    for answer in (streamed, answered):
        assert isinstance(answer, Answer)
        assert [source.document for source in answer.sources] == [f"d{n}" for n in range(1, shown + 1)]
        assert answer.left_out == 3 - shown
    assert engine.asked[0] == engine.asked[1]
    for hit in HITS:
        assert (hit.text.strip() in engine.asked[0][-1].content) == (hit in HITS[:shown])
    assert engine.coverage == [shown / 4, shown / 4]  # of what is shown, not of what was found


def test_each_of_several_questions_has_room_of_its_own() -> None:
    engine = NarrowEngine(words(2))
    long = [Message("user", f"{'why ' * 60}?")]
    answers = reader(HITS, engine).answer([TALK, long, TALK], model="sft", layers=Layers())
    assert [(len(each.sources), each.left_out) for each in answers] == [(2, 1), (1, 2), (2, 1)]


def test_a_question_that_finds_no_room_alone_is_refused_by_the_engine(
    tiny_base: Path, tiny_adapters: dict[str, Path]
) -> None:
    engine = TransformersEngine(tiny_base, tiny_adapters)
    long = [replace(hit, text="In `svm.SVC`, the default of `C` is 1.0. " * 8) for hit in HITS]
    assistant = reader(long, engine)
    [answer] = assistant.answer([TALK], model="sft", layers=Layers())
    assert 0 < len(answer.sources) < 3
    assert len(answer.sources) + answer.left_out == 3
    assert answer.prompt_tokens + assistant.sampling.max_new_tokens <= engine.context
    with pytest.raises(ContextLengthError, match="shorten the conversation"):
        assistant.answer([[Message("user", "word " * 600)]], model="sft", layers=Layers())

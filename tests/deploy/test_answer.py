"""Protects what is read off an answer: its citations, and only those of sources that were shown."""

from deploy.answer import Layers, answer_of, citations
from deploy.engines.engine import Generation
from deploy.prompts.template import Source


def test_citations_are_read_once_each_in_order() -> None:
    assert citations("a [2], b [10] and [2]; not [x], [], [1234] or (3)") == (2, 10)


def test_a_mark_of_no_shown_source_is_no_citation() -> None:
    said = Generation(
        text="It is 1 [2] [7].", prompt_tokens=3, completion_tokens=5, finished=True, chances=None
    )
    shown = tuple(Source(number=n, document=f"d{n}", uri="", title="", text="t") for n in (1, 2))
    answer = answer_of(said, shown, Layers(), left_out=0, retrieval_seconds=0.1, seconds=0.5)
    assert (answer.citations, answer.text, answer.sources) == ((2,), said.text, shown)

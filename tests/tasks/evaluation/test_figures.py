"""Protects the figures of citations: what counts, what is left out."""

from deploy.messages import Message
from deploy.prompts.template import Source
from tasks.evaluation.arms import Answered
from tasks.evaluation.figures import citation_precision, citation_validity
from tasks.rows.records import Example

QUESTION = Example(
    id="q",
    source="s",
    task="default",
    messages=(Message("user", "Q?"), Message("assistant", "A")),
    evidence=("d",),
    quote="",
    withheld=(),
    answerable=True,
    group="g",
)


def cited(*numbers: int, documents: tuple[str, ...] = ("d", "x"), abstained: bool = False) -> Answered:
    sources = tuple(
        Source(number=number, document=document, uri="", title="", text="")
        for number, document in enumerate(documents, start=1)
    )
    return Answered(
        example=QUESTION,
        text="",
        score=1.0,
        abstained=abstained,
        numbers=numbers,
        sources=sources,
        finished=True,
    )


def test_a_citation_is_valid_when_each_number_is_a_source() -> None:
    assert citation_validity([cited(1), cited(1, 2), cited(3), cited()]) == 0.5
    assert citation_validity([cited(1, abstained=True), cited(1, documents=())]) is None


def test_a_citation_is_right_when_its_source_is_of_the_evidence() -> None:
    assert citation_precision([cited(1), cited(1, 2), cited(3)]) == 0.5
    assert citation_precision([cited()]) is None

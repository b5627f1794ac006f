"""Answers as a server gives them, and ratings of them, for tests of feedback."""

from pathlib import Path
from typing import Any

from deploy.answer import Layers
from deploy.feedback.answers import GivenAnswer
from deploy.feedback.store import FeedbackStore, Rated, Rating
from deploy.messages import Message
from deploy.prompts.template import Source

SOURCES = (
    Source(number=1, document="a", uri="py:svm.SVC@1.9", title="svm.SVC", text="C=1.0 : float"),
    Source(number=2, document="b", uri="file:sources/b.md", title="b", text="nu=0.5"),
)


def given(name: str = "chatcmpl-1", question: str = "Why?", **changes: Any) -> GivenAnswer:
    """An answer over two sources, of which it cites the first."""
    told: dict[str, Any] = {
        "text": "Because [1].",
        "model": "sft",
        "release": "0123456789ab",
        "layers": Layers(),
        "citations": (1,),
        "sources": SOURCES,
        "finished": True,
        "created": 1_800_000_000,
    }
    return GivenAnswer(id=name, conversation=(Message("user", question),), **(told | changes))


def rated(
    rating: Rating, text: str, *, name: str = "chatcmpl-1", question: str = "Why?", better: str | None = None
) -> Rated:
    """What somebody thinks of the answer `text`."""
    answer = given(name, question, text=text)
    return Rated(answer=answer, rating=rating, better=better, rated=1_800_000_060)


def kept(folder: Path) -> list[Rated]:
    """The ratings in the file."""
    store = FeedbackStore(folder)
    try:
        return store.all()
    finally:
        store.close()

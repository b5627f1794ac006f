"""Knowledge that is a list of hits, and an assistant with it: for tests that need sources, but no search."""

from collections.abc import Collection, Sequence

from deploy.assistant import Assistant
from deploy.engines.engine import Engine
from deploy.knowledge.hits import Hit
from deploy.prompts.template import load_template
from deploy.settings import GenerationSettings

HIT = Hit(chunk=1, document="svm.SVC", uri="py:svm.SVC", title="svm.SVC", text="C=1.0 : float", score=1.0)


class ListedKnowledge:
    """Finds the same hits for every question, less those of excluded documents."""

    def __init__(self, hits: Sequence[Hit], *, top_k: int = 3) -> None:
        self._hits, self._top_k = tuple(hits), top_k

    def search(
        self,
        queries: Sequence[str],
        *,
        before: Sequence[str] | None = None,
        exclude: Sequence[Collection[str]] | None = None,
    ) -> list[list[Hit]]:
        """The first `top_k` hits that are not excluded, for each query."""
        without = exclude if exclude is not None else [()] * len(queries)
        return [
            [hit for hit in self._hits if hit.document not in left_out][: self._top_k] for left_out in without
        ]


def reader(hits: Sequence[Hit] = (HIT,), engine: Engine | None = None, *, tokens: int = 24) -> Assistant:
    """An assistant that finds the same hits for every question; without an engine it composes prompts."""
    generation = GenerationSettings(max_new_tokens=tokens, temperature=0.0, top_p=1.0)
    return Assistant(engine, ListedKnowledge(hits), load_template("assistant"), generation)

"""How literally the questions repeat their documents: what the split of the sources flatters by."""

import math
from collections.abc import Iterable, Mapping, Sequence

from tasks.evaluation.arms import Answered
from tasks.evaluation.ledger import TUNED, Wording
from tasks.rows.literal import literalness
from tasks.rows.records import Document, Example
from tasks.scoring.scores import bootstrap


def wording(
    answered: Mapping[str, Sequence[Answered]], documents: Iterable[Document], *, resamples: int, seed: int
) -> Wording | None:
    """The literalness of the questions, and the score of the last tuned arm on the least literal third.

    None without a tuned arm or without an answerable question whose documents are known. Where several
    questions are equally literal, their ids decide which are of the third.
    """
    tuned = [name for name in TUNED if name in answered]
    if not tuned:
        return None
    texts = {document.id: document.text for document in documents}
    shares = [
        (share, answer.example.id, answer.score)
        for answer in answered[tuned[-1]]
        if (share := _literalness(answer.example, texts)) is not None
    ]
    if not shares:
        return None
    least = sorted(shares)[: math.ceil(len(shares) / 3)]
    interval = bootstrap([score for _, _, score in least], resamples=resamples, seed=seed)
    return Wording(
        literalness=round(sum(share for share, _, _ in shares) / len(shares), 4),
        arm=tuned[-1],
        score=round(interval.mean, 4),
        low=round(interval.low, 4),
        high=round(interval.high, 4),
        n=len(least),
    )


def _literalness(example: Example, texts: Mapping[str, str]) -> float | None:
    """The literalness of a question in the document that it repeats most; None where none is known."""
    known = [texts[name] for name in example.evidence if name in texts]
    if not known or not example.answerable:
        return None
    asked = "\n".join(turn.content for turn in example.prompt if turn.role == "user")
    # Where only all documents together answer, the words of a question come from all of them.
    return max(literalness(asked, text) for text in (["\n".join(known)] if example.takes_all else known))

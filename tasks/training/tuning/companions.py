"""Further questions asked over the sources that were found for one: what they answer, and what they do not.

The sources are most of a prompt, and layers that share what rows begin with read them once. So six questions
over the same sources cost little more than two over their own, and they differ in nothing but the question:
which the sources answer and which they do not is all that there is to learn.
"""

import random
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

from deploy.knowledge.terms import terms
from deploy.prompts.template import Source
from tasks.rows.grounding import cited_sources
from tasks.rows.records import Example

BETWEEN = "@"  # between the id of a companion and that of the row whose sources it is asked over
_ANSWERED = 0.6  # share of companions that the sources answer, where there are as many
_NEAR = 24  # questions nearest to the sources, among which those are drawn that they do not answer


class Companions:
    """Finds companions among the rows of `pool` that have one turn and so make sense after any other."""

    def __init__(self, pool: Sequence[Example], *, seed: int) -> None:
        from sklearn.feature_extraction.text import TfidfVectorizer

        self._pool = [row for row in pool if len(row.prompt) == 1]
        self._seed = seed
        self._by_document: dict[str, list[Example]] = defaultdict(list)
        for row in self._pool:
            for document in row.evidence:
                self._by_document[document].append(row)
        self._texts = TfidfVectorizer(analyzer=terms, sublinear_tf=True)
        asked = [row.prompt[0].content for row in self._pool]
        self._matrix = self._texts.fit_transform(asked) if asked else None

    def of(self, row: Example, sources: Sequence[Source], count: int) -> list[Example]:
        """At most `count` rows to be asked over the `sources` of `row`, none of them twice.

        About half are answered by them; of the others all but one sound as if they were. A row whose
        answer was hidden, and stands in these sources, is none: nobody knows what would be right. After
        earlier turns of `row` they are asked after the same.
        """
        if self._matrix is None or not sources:
            return []
        draw = random.Random(f"{self._seed} {row.id}")
        shown = {source.document for source in sources}
        beside = {each.id: each for name in sorted(shown) for each in self._by_document[name]}
        answered = [each for each in beside.values() if each.id != row.id and cited_sources(each, sources)]
        chosen = draw.sample(answered, min(len(answered), round(count * _ANSWERED)))
        taken = {row.id, *(each.id for each in chosen)}
        # All but one of the rest sound as if they were answered; the last is drawn from all rows.
        for near, kept_free in ((self._near(sources), 1), (self._pool, 0)):
            wanted = max(count - len(chosen) - kept_free, 0)
            open_to = [each for each in near if each.id not in taken and not _told_of(each, shown)]
            drawn = draw.sample(open_to, min(wanted, len(open_to)))
            chosen += drawn
            taken |= {each.id for each in drawn}
        earlier = row.prompt[:-1]
        return [replace(each, messages=(*earlier, *each.messages)) for each in chosen]

    def _near(self, sources: Sequence[Source]) -> list[Example]:
        """The questions that sound most as if these sources answered them."""
        shown = self._texts.transform([source.text for source in sources])
        similar = (self._matrix @ shown.T).max(axis=1).toarray().ravel()
        return [self._pool[place] for place in similar.argsort()[::-1][:_NEAR]]


def mixing(*, companions: int, batch_size: int) -> str:
    """What a batch that is not one row with its companions costs; empty where it is, or there are none.

    Layers share what all rows of a batch begin with: over several sets of sources that is the instructions.
    """
    fitting = companions + 1
    if not companions or batch_size == fitting:
        return ""
    return (
        f"batches have {batch_size} rows (sft.batch_size) and a row with its companions is {fitting}: only "
        "where these are equal are the sources read once a batch; sft.accumulation keeps the rows of a step"
    )


def _told_of(row: Example, documents: set[str]) -> bool:
    """Whether one of the documents is what the row's answer rests on, shown or hidden."""
    return not documents.isdisjoint({*row.evidence, *row.withheld})


def context_groups(names: Sequence[str]) -> list[list[int]]:
    """The places of `names` in groups: a row with those that are asked over its sources."""
    groups: dict[str, list[int]] = defaultdict(list)
    for place, name in enumerate(names):
        groups[name.partition(BETWEEN)[2] or name].append(place)
    return list(groups.values())

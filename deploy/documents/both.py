"""One question asked of a store and of what was added since: the passages of both compete as those of one."""

from collections.abc import Collection

import numpy as np
from numpy.typing import NDArray

from deploy.documents.view import View
from deploy.knowledge.arrays import Positions, Scores, Vectors, highest
from deploy.knowledge.fusion import fuse, spread
from deploy.knowledge.hits import Hit
from deploy.knowledge.store import EARLIER
from deploy.knowledge.tags import Held


def search_both(
    view: View,
    query: str,
    before: str,
    vector: Vectors,
    *,
    exclude: Collection[str],
    held: Held,
) -> list[Hit]:
    """The best chunks of the store and of what was added, for a question with its vector, best first.

    `before` was said before it. Documents in `exclude` are left out, and those that are closed to whoever
    holds the tags `held`.
    """
    store, fresh = view.store, view.index
    hidden = view.hidden(held, exclude)
    if not len(fresh):
        return store.found(query, before, vector, hidden)
    positions, meant, words = store.shortlist(query, before, vector, hidden)
    fresh_meant = fresh.meant(vector)
    fresh_words = fresh.worded(query) + (EARLIER * fresh.worded(before) if before else 0.0)
    places = _best(fresh_meant, fresh_words, view.shown(held, exclude), store.settings.candidates)
    scores = fuse(
        np.concatenate([meant, fresh_meant[places]]),
        np.concatenate([words, fresh_words[places]]),
        dense_weight=store.settings.dense_weight,
        by=store.settings.fusion,
    )
    owners = np.concatenate([store.owners[positions], store.num_chunks + fresh.owners[places]])
    # Equal scores keep the order of ids: places depend on what came when.
    ranks = np.empty(len(places), dtype=np.int64)
    ranks[sorted(range(len(places)), key=lambda at: fresh.place(int(places[at])))] = np.arange(len(places))
    order = np.concatenate([positions, store.num_chunks + ranks])
    hits: list[Hit] = []
    for at, score in spread(scores, owners, order, count=store.num_fused):
        if at < len(positions):
            hits += store.hits(positions[at : at + 1], [score], query, before)
        else:
            place = int(places[at - len(positions)])
            hits.append(fresh.hit(place, score=score, query=query, before=before))
    return store.best(query, before, hits)


def _best(meant: Scores, worded: Scores, shown: NDArray[np.bool_], count: int) -> Positions:
    """The chunks that may be among the best: `count` by meaning, and as many by words that they share."""
    near = highest(np.where(shown, meant, -np.inf), count)
    return np.union1d(near, highest(np.where(shown, worded, 0.0), count, above=0.0))

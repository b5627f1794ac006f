"""A query encoder from rows and an index: trained, judged, and written if questions rank better with it."""

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from deploy.knowledge.database import TRUTH, Database
from deploy.knowledge.query_encoder import write_query_encoder
from deploy.knowledge.store import KnowledgeStore
from deploy.knowledge.trained import learned
from deploy.messages import last_question, said_before
from deploy.settings import RetrievalSettings
from tasks.machine.device import set_up_torch
from tasks.machine.settings import RunSettings
from tasks.rows.grounding import answers
from tasks.rows.records import Example
from tasks.training.ranking.judging import Verdict, ranks
from tasks.training.ranking.mining import mine
from tasks.training.ranking.questions import FEWEST, TOO_FEW, Made, choose_questions
from tasks.training.settings import QueryEncoderSettings

if TYPE_CHECKING:
    from tasks.training.ranking.query_encoding import Asked

RANKED = 10  # passages of a question in which what answers it is looked for
NO_PASSAGE = "no passage of its evidence holds the answer"


def make_query_encoder(
    folder: Path,
    embedder: Path,
    examples: Sequence[Example],
    held_out: Sequence[Example],
    index: Path,
    *,
    run: RunSettings,
    retrieval: RetrievalSettings,
    settings: QueryEncoderSettings,
) -> Made:
    """Train a query encoder from the embedder, and write it into `folder` if the search ranks better with it.

    It learns from `examples`, one half of `held_out` chooses the state, and the other half judges it.

    Raises:
        KnowledgeError: the embedder does not fit the index.
        TrainingError: the loss is no number.
    """
    chosen = choose_questions(examples, held_out, settings, section="query_encoder", seed=run.seed)
    if isinstance(chosen, Made):
        return chosen
    device = set_up_torch(run)
    from tasks.training.ranking.query_encoding import QueryTower, learn

    tower = QueryTower(embedder, device)
    half = len(chosen.judges) // 2
    choosing, judging = chosen.judges[:half], chosen.judges[half:]
    wanted = retrieval.model_copy(update={"top_k": RANKED})
    with closing(KnowledgeStore(index, tower, wanted)) as store, closing(Database(index / TRUTH)) as truth:
        asked = teaching(chosen.rows, store, truth.texts()[0])
        unused = chosen.unused | {NO_PASSAGE: len(chosen.rows) - len(asked)}
        if len(asked) < FEWEST:
            reason = f"of {len(chosen.rows)} questions {len(asked)} have a passage that answers them, and "
            reason += f"{FEWEST} are the least to learn from"
            return Made(reason=reason, unused=unused | {TOO_FEW: len(asked)})
        print(f"{len(asked)} questions to learn from, {len(chosen.judges)} of validation", flush=True)
        before = ranks(mine(judging, store))
        passes = learn(
            tower,
            asked,
            truth.vectors(tower.dimensions),
            judge=lambda: float(np.mean(ranks(mine(choosing, store)).reciprocal())),
            settings=settings,
            seed=run.seed,
        )
        found = Verdict.of(before, ranks(mine(judging, store)), top_k=retrieval.top_k, seed=run.seed)
    print(found.sentence("with the query encoder"), flush=True)
    figures = {
        **device.figures(),
        "chosen_by": len(choosing),
        "passes": passes,
        "kept": found.better,
        **found.figures(),
    }
    if found.better:
        write_query_encoder(folder, tower.identity, learned(tower.model))
    return Made(reason=found.hindrance, trained=len(asked), unused=unused, figures=figures)


def teaching(rows: Sequence[Example], store: KnowledgeStore, texts: Sequence[str]) -> "list[Asked]":
    """What there is to learn from `rows`; those of which a document has no passage that answers are left out.

    `texts` are those of the store's passages, by their places.
    """
    from tasks.training.ranking.query_encoding import Asked

    queries = [last_question(row.prompt) for row in rows]
    kept = store.still_asked([said_before(row.prompt) for row in rows], queries)
    found: list[Asked] = []
    for row, query, before in zip(rows, queries, kept, strict=True):
        right = tuple(
            tuple(at for at in range(*store.ranges.get(name, (0, 0))) if answers(row, name, texts[at]))
            for name in row.evidence
        )
        if all(right):
            hidden = (at for name in row.withheld for at in range(*store.ranges.get(name, (0, 0))))
            found.append(Asked(query=query, before=before, right=right, hidden=tuple(hidden)))
    return found

"""The reranker: learns from the search's own mistakes to put what it finds first in a better order.

Its output is what reads questions from then on: the embedder, and with it the query encoder and the reranker,
each if it ranks better. So whoever is given the one has the other: training, evaluation and the bundle alike.
"""

import shutil
from pathlib import Path

from deploy.knowledge.query_encoder import FOLDER
from deploy.settings import RetrievalSettings
from tasks.machine.settings import RunSettings
from tasks.rows.records import Example
from tasks.rows.reports import write_report
from tasks.rows.skipped import skip_reason
from tasks.rows.tables import read_table
from tasks.training.ranking.questions import Made
from tasks.training.ranking.reranker import make_reranker
from tasks.training.settings import RerankSettings


def rerank(
    examples: Path,
    held_out: Path,
    embedder: Path,
    knowledge: Path,
    encoder: Path,
    *,
    retriever: Path,
    report: Path,
    run: RunSettings,
    retrieval: RetrievalSettings,
    settings: RerankSettings,
) -> None:
    """Write the embedder with its query encoder, and the reranker trained over it if that ranks better.

    `encoder` holds the query encoder, or the note that there is none. Where the settings say so, or there are
    too few questions whose passage is known, no reranker is trained; the report gives the reason.

    Raises:
        KnowledgeError: the embedder is no BERT, or does not fit the index.
        TrainingError: the loss is no number.
    """
    shutil.copytree(embedder, retriever, copy_function=shutil.copyfile)
    if not skip_reason(encoder):
        shutil.copytree(encoder, retriever / FOLDER, copy_function=shutil.copyfile)
    rows = read_table(examples, Example)
    if settings.enabled:
        judges = read_table(held_out, Example)
        made = make_reranker(
            retriever, rows, judges, knowledge, run=run, retrieval=retrieval, settings=settings
        )
    else:
        reason = "rerank.enabled is false in params.yaml"
        made = Made(reason=reason, unused={reason: len(rows)})
    if made.reason:
        print(f"no reranker: {made.reason}", flush=True)
    write_report(report, made.report("rerank", len(rows)))

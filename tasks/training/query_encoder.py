"""The query encoder: questions learn to be read so that what answers them is near, and passages stay put."""

from pathlib import Path

from deploy.settings import RetrievalSettings
from tasks.machine.settings import RunSettings
from tasks.rows.records import Example
from tasks.rows.reports import write_report
from tasks.rows.skipped import leave_note
from tasks.rows.tables import read_table
from tasks.training.ranking.query_encoder import make_query_encoder
from tasks.training.ranking.questions import Made
from tasks.training.settings import QueryEncoderSettings


def query_encoder(
    examples: Path,
    held_out: Path,
    embedder: Path,
    knowledge: Path,
    *,
    encoder: Path,
    report: Path,
    run: RunSettings,
    retrieval: RetrievalSettings,
    settings: QueryEncoderSettings,
) -> None:
    """Write the query encoder that was trained from the embedder, where it ranks better for sure.

    Where it does not, the settings say so, or there are too few questions whose passage is known, a note with
    the reason lies there instead.

    Raises:
        KnowledgeError: the embedder does not fit the index.
        TrainingError: the loss is no number.
    """
    rows = read_table(examples, Example)
    if settings.enabled:
        judges = read_table(held_out, Example)
        made = make_query_encoder(
            encoder, embedder, rows, judges, knowledge, run=run, retrieval=retrieval, settings=settings
        )
    else:
        reason = "query_encoder.enabled is false in params.yaml"
        made = Made(reason=reason, unused={reason: len(rows)})
    if made.reason:
        leave_note(encoder, "query_encoder", made.reason)
    write_report(report, made.report("query_encoder", len(rows)))

"""Stage `index`: the documents that training and evaluation see become a knowledge store.

What is served has its own, of today's documents: the stage `knowledge`.
"""

from pathlib import Path

from tasks.machine.settings import RunSettings
from tasks.prepare.settings import IndexSettings
from tasks.prepare.storing import store_documents
from tasks.rows.records import Document
from tasks.rows.reports import Report, write_report
from tasks.rows.tables import read_table


def index(
    documents: Path,
    embedder: Path,
    *,
    knowledge: Path,
    report: Path,
    work: Path,
    run: RunSettings,
    settings: IndexSettings,
) -> None:
    """Cut the documents into chunks, embed them, and write the knowledge store."""
    rows = read_table(documents, Document)
    counts, figures = store_documents(
        rows, embedder, knowledge, work=work, known={}, run=run, settings=settings
    )
    write_report(report, Report(stage="index", rows=counts, figures=figures))

"""Stage `index`: documents become the searchable knowledge store."""

from pathlib import Path

from deploy.knowledge.chunking import KnowledgeDocument, chunk_documents
from deploy.knowledge.embedder import SentenceEmbedder
from deploy.knowledge.store import build_knowledge
from tasks.progress import Progress
from tasks.records import Document
from tasks.reports import Report, RowCount, write_report
from tasks.settings import IndexSettings
from tasks.tables import read_table


def index(documents: Path, embedder: Path, *, knowledge: Path, report: Path, settings: IndexSettings) -> None:
    """Cut the documents into chunks, embed them, and write the store to `knowledge`."""
    rows = [_known(row) for row in read_table(documents, Document)]
    chunks = list(chunk_documents(rows, max_words=settings.chunk_words))
    model = SentenceEmbedder(embedder, max_tokens=settings.embedded_tokens, batch_size=settings.batch_size)
    progress = Progress(len(chunks), "chunks")
    build_knowledge(knowledge, rows, chunks, embedder=model, dense=settings.faiss, progress=progress.update)
    cut = [n - settings.embedded_tokens for n in model.count_tokens([chunk.text for chunk in chunks])]
    indexed = {chunk.document for chunk in chunks}
    counts = [
        RowCount(kind="document", outcome="in", count=len(rows)),
        RowCount(kind="document", outcome="kept", count=len(indexed)),
        RowCount(kind="document", outcome="dropped", reason="empty", count=len(rows) - len(indexed)),
    ]
    figures = {
        "chunks": len(chunks),
        "words": sum(len(chunk.text.split()) for chunk in chunks),
        "chunks_cut": sum(tokens > 0 for tokens in cut),
        "tokens_cut": sum(tokens for tokens in cut if tokens > 0),
        "embedder": model.identity,
    }
    write_report(report, Report(stage="index", rows=counts, figures=figures))


def _known(row: Document) -> KnowledgeDocument:
    return KnowledgeDocument(id=row.id, uri=row.uri, title=row.title, text=row.text)

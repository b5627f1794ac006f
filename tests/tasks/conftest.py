"""Small real things that several stages test with: rows with knowledge that answers them."""

from pathlib import Path

import pytest

from deploy.abstention import ABSTENTION
from deploy.knowledge.chunking import KnowledgeDocument, chunk_documents
from deploy.knowledge.embedder import SentenceEmbedder
from deploy.knowledge.store import build_knowledge
from deploy.messages import Message
from tasks.rows.records import Example
from tasks.rows.tables import write_table


def example(number: int) -> Example:
    """One question; every third has no answer."""
    answerable = number % 3 > 0
    return Example(
        id=f"q{number}",
        source="s",
        task="default" if answerable else "absent",
        messages=(
            Message("user", f"What is the default of `C` in `svm.SVC{number}`?"),
            Message("assistant", "`1.0`" if answerable else ABSTENTION),
        ),
        evidence=(f"d{number}",) if answerable else (),
        quote="C=1.0 :" if answerable else "",
        withheld=(),
        answerable=answerable,
        group=f"g{number}",
    )


@pytest.fixture(scope="session")
def tiny_chain(tiny_base: Path, tiny_embedder: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """What the chain has made before it trains: splits of twelve rows, base, embedder, knowledge."""
    folder = tmp_path_factory.mktemp("tiny_chain")
    documents = [
        KnowledgeDocument(
            id=f"d{number}",
            uri=f"py:svm.SVC{number}",
            title=f"svm.SVC{number}",
            text="SVC(C=1.0)\n\nC=1.0 : float",
        )
        for number in range(12)
    ]
    chunks = list(chunk_documents(documents, max_words=48))
    build_knowledge(
        folder / "index", documents, chunks, embedder=SentenceEmbedder(tiny_embedder), dense="flat"
    )
    for split in ("train", "validation", "test"):
        rows = [example(number) for number in range(12)]
        write_table(folder / "splits" / split / "examples.parquet", Example, rows)
    return [folder / "splits", tiny_base, tiny_embedder, folder / "index"]

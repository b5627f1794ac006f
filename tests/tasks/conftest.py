"""Small real things that several stages test with: rows with knowledge that answers them."""

from pathlib import Path

import pytest

from tasks.rows.records import Document, Example
from tasks.rows.tables import write_table
from tests.conftest import write_tiny_index
from tests.tasks.rows.made import default_asked, document


def example(number: int) -> Example:
    """One question; every third has no answer, as its document is withheld."""
    name, title = f"q{number}", f"svm.SVC{number}"
    asked = f"What is the default of `C` in `{title}`?"
    if number % 3 == 0:
        return default_asked(name, asked, document=None, task="withheld", withheld=(title,))
    return default_asked(name, asked, document=title)


@pytest.fixture(scope="session")
def tiny_chain(tiny_base: Path, tiny_embedder: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """What the chain has made before it trains: splits of twelve rows, base, embedder, knowledge."""
    folder = tmp_path_factory.mktemp("tiny_chain")
    texts = {f"svm.SVC{number}": "SVC(C=1.0)\n\nC=1.0 : float" for number in range(12)}
    index = write_tiny_index(folder / "index", tiny_embedder, texts)
    write_table(folder / "splits/documents.parquet", Document, [document(n, t) for n, t in texts.items()])
    for split in ("train", "validation", "test"):
        rows = [example(number) for number in range(12)]
        write_table(folder / "splits" / split / "examples.parquet", Example, rows)
    return [folder / "splits", tiny_base, tiny_embedder, index]

"""Public question sets, each with the texts of which one answers."""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deploy.knowledge.chunking import KnowledgeDocument


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """A set of texts, and questions that each name the text with the answer."""

    documents: list[KnowledgeDocument]
    questions: list[tuple[str, str]]


def squad(folder: Path) -> Bench:
    """The answerable questions of SQuAD 2.0 over all paragraphs."""
    paragraphs = _read(folder / "squad_paragraphs.jsonl")
    asked = _read(folder / "squad_dev.jsonl")
    return Bench(
        documents=[_document(row["id"], row["title"], row["text"]) for row in paragraphs],
        questions=[(row["question"], row["paragraph"]) for row in asked if row["answers"]],
    )


def tldr(folder: Path) -> Bench:
    """Tasks for the command line; the page of the right command is wanted among all pages."""
    return Bench(
        documents=[
            _document(row["id"], row["title"], row["text"]) for row in _read(folder / "tldr_pages.jsonl")
        ],
        questions=[(row["instruction"], row["page"]) for row in _read(folder / "tldr_pairs.jsonl")],
    )


def perlfaq(folder: Path) -> Bench:
    """The questions of a hand-written FAQ; the texts are the answers without their headings."""
    rows = _read(folder / "perlfaq_qa.jsonl")
    return Bench(
        documents=[_document(str(number), row["doc"], row["answer"]) for number, row in enumerate(rows)],
        questions=[(row["question"], str(number)) for number, row in enumerate(rows)],
    )


BENCHES: dict[str, Callable[[Path], Bench]] = {"squad": squad, "tldr": tldr, "perlfaq": perlfaq}


def _document(name: str, title: str, text: str) -> KnowledgeDocument:
    return KnowledgeDocument(id=name, uri=f"bench:{name}", title=title, text=text)


def _read(path: Path) -> Iterable[Any]:
    with path.open(encoding="utf-8") as file:
        return [json.loads(line) for line in file]

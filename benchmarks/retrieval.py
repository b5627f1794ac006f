"""How often the right text is among the first k found, on public question sets, by words, meaning and both.

    python -m benchmarks.retrieval BENCH [--questions 300]

BENCH is a folder with `squad_dev.jsonl`, `squad_paragraphs.jsonl`, `tldr_pages.jsonl`, `tldr_pairs.jsonl` and
`perlfaq_qa.jsonl` (or THREEPLY_BENCH names it); what is missing is skipped in words. The store is the served
one, made in a temporary folder. Prints a table; the last line is one JSON object.
"""

import argparse
import json
import os
import random
import sys
import tempfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deploy.knowledge.chunking import KnowledgeDocument, chunk_documents
from deploy.knowledge.embedder import SentenceEmbedder
from deploy.knowledge.store import build_knowledge, open_knowledge
from deploy.settings import RetrievalSettings
from tasks.machine.progress import Progress
from tasks.scoring.scores import bootstrap
from tasks.settings import load_settings

KS = (1, 3, 5, 10)


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
WEIGHTS = (0.0, 0.15, 0.3, 0.5, 0.7, 1.0)  # of the embeddings: BM25 alone, mixtures, embeddings alone


def main() -> int:
    """Measure every set that is there."""
    words = argparse.ArgumentParser(prog="python -m benchmarks.retrieval", description=__doc__)
    words.add_argument("folder", nargs="?", default=os.environ.get("THREEPLY_BENCH"), metavar="BENCH")
    words.add_argument("--questions", type=int, default=300, help="drawn from each set")
    words.add_argument("--embedder", type=Path, default=Path("data/models/embedder"))
    words.add_argument("--sets", nargs="+", choices=BENCHES, default=list(BENCHES))
    given = words.parse_args()
    results: dict[str, Any] = {}
    for name in given.sets:
        try:
            bench = BENCHES[name](Path(given.folder or ""))
        except FileNotFoundError as error:
            print(
                f"{name}: skipped, {error.filename} is not there; give the folder with the data",
                file=sys.stderr,
            )
            continue
        results[name] = measure(bench, given.embedder, count=given.questions)
        for weight, recalls in results[name]["recall"].items():
            figures = "  ".join(f"@{k} {recalls[str(k)]:.3f}" for k in KS)
            low, high = recalls["at_3_interval"]
            print(f"{name:<8} dense_weight {weight:<5} {figures}  (@3: {low:.2f} to {high:.2f})", flush=True)
    print(json.dumps(results))
    return 0


def measure(bench: Bench, embedder: Path, *, count: int) -> dict[str, Any]:
    """Recall by document at each k of `KS` for each weight of the embeddings, with the interval at 3."""
    settings = load_settings(Path("params.yaml"))
    questions = random.Random(settings.run.seed).sample(bench.questions, min(count, len(bench.questions)))
    recall: dict[str, dict[str, Any]] = {}
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made) / "index"
        chunks = list(chunk_documents(bench.documents, max_words=settings.index.chunk_words))
        progress = Progress(len(chunks), "chunks", stream=sys.stderr)
        build_knowledge(
            folder,
            bench.documents,
            chunks,
            embedder=SentenceEmbedder(embedder, max_tokens=settings.index.embedded_tokens),
            dense=settings.index.faiss,
            progress=progress.update,
        )
        for weight in sorted({*WEIGHTS, settings.retrieval.dense_weight}):
            retrieval = RetrievalSettings(
                top_k=50, candidates=max(settings.retrieval.candidates, 50), dense_weight=weight
            )
            store = open_knowledge(folder, embedder, retrieval)
            found = store.search([question for question, _ in questions])
            store.close()
            ranks = [
                rank([hit.document for hit in hits], wanted)
                for hits, (_, wanted) in zip(found, questions, strict=True)
            ]
            at_3 = bootstrap([float(place < 3) for place in ranks], resamples=1000, seed=settings.run.seed)
            recall[f"{weight:g}"] = {
                **{str(k): round(sum(place < k for place in ranks) / len(ranks), 4) for k in KS},
                "at_3_interval": [round(at_3.low, 4), round(at_3.high, 4)],
            }
    return {"questions": len(questions), "documents": len(bench.documents), "recall": recall}


def rank(documents: Sequence[str], wanted: str) -> float:
    """The place of `wanted` among the distinct documents, counted from 0; infinite if it is not there."""
    distinct = list(dict.fromkeys(documents))
    return distinct.index(wanted) if wanted in distinct else float("inf")


def _document(name: str, title: str, text: str) -> KnowledgeDocument:
    return KnowledgeDocument(id=name, uri=f"bench:{name}", title=title, text=text)


def _read(path: Path) -> Iterable[Any]:
    with path.open(encoding="utf-8") as file:
        return [json.loads(line) for line in file]


if __name__ == "__main__":
    raise SystemExit(main())

"""How well the right text is found on public question sets, by words, by meaning, by both, and tuned.

    python -m benchmarks.retrieval BENCH [--questions 300]

BENCH is a folder with `squad_dev.jsonl`, `squad_paragraphs.jsonl`, `tldr_pages.jsonl`, `tldr_pairs.jsonl` and
`perlfaq_qa.jsonl` (or THREEPLY_BENCH names it); what is missing is skipped in words. The store is the served
one, made in a temporary folder. One half of the questions chooses the weight of the embeddings, the other
half judges it beside words alone, embeddings alone and the default (recall, nDCG and the mean reciprocal
rank). Prints tables; the last line is one JSON object.
"""

import argparse
import json
import math
import os
import random
import sys
import tempfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

from deploy.knowledge.chunking import KnowledgeDocument, chunk_documents
from deploy.knowledge.embedder import SentenceEmbedder
from deploy.knowledge.store import build_knowledge, open_knowledge
from deploy.settings import RetrievalSettings
from tasks.evaluation.markdown import markdown_table
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
        print(f"\n{name}: {results[name]['documents']} texts\n")
        print("\n".join(table(results[name])), flush=True)
    print(json.dumps(results))
    return 0


def measure(bench: Bench, embedder: Path, *, count: int) -> dict[str, Any]:
    """Figures of each way to search over one half of the questions; the other half has chosen the weight."""
    settings = load_settings(Path("params.yaml"))
    seed, usual = settings.run.seed, settings.retrieval.dense_weight
    questions = random.Random(seed).sample(bench.questions, min(count, len(bench.questions)))
    places: dict[float, list[float]] = {}
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
        for weight in sorted({*WEIGHTS, usual}):
            retrieval = RetrievalSettings(
                top_k=50, candidates=max(settings.retrieval.candidates, 50), dense_weight=weight
            )
            store = open_knowledge(folder, embedder, retrieval)
            found = store.search([question for question, _ in questions])
            store.close()
            places[weight] = [
                rank([hit.document for hit in hits], wanted)
                for hits, (_, wanted) in zip(found, questions, strict=True)
            ]
    half = len(questions) // 2
    chosen = max(places, key=lambda weight: fmean(map(gain, places[weight][:half])))
    judged = {weight: ranks[half:] for weight, ranks in places.items()}
    single = max((0.0, 1.0), key=lambda weight: fmean(map(gain, judged[weight])))
    ways = {"words alone": 0.0, "embeddings alone": 1.0, "the default": usual, "tuned": chosen}
    more = [gain(a) - gain(b) for a, b in zip(judged[chosen], judged[single], strict=True)]
    return {
        "documents": len(bench.documents),
        "questions": len(questions) - half,
        "ways": {way: {"weight": weight, **figures(judged[weight], seed)} for way, weight in ways.items()},
        "tuned_over_single": asdict(bootstrap(more, resamples=1000, seed=seed)),
        "by_weight": {f"{weight:g}": figures(ranks, seed) for weight, ranks in places.items()},
    }


def figures(places: Sequence[float], seed: int) -> dict[str, Any]:
    """Recall at each k of `KS`, nDCG of the first ten and the mean reciprocal rank, with intervals."""
    measured = {
        **{f"recall@{k}": [float(place < k) for place in places] for k in KS},
        "nDCG@10": [gain(place) for place in places],
        "MRR": [1.0 / (place + 1.0) for place in places],
    }
    return {name: asdict(bootstrap(each, resamples=1000, seed=seed)) for name, each in measured.items()}


def gain(place: float) -> float:
    """What a text at this place is worth to nDCG@10, where one alone is right (Järvelin, Kekäläinen 2002)."""
    return 1.0 / math.log2(place + 2.0) if place < 10 else 0.0


def table(result: dict[str, Any]) -> list[str]:
    """One row for each way to search, and whether the tuned one is above the better of words and meaning."""
    names = (*(f"recall@{k}" for k in KS), "nDCG@10", "MRR")
    rows = {
        f"{way} ({found['weight']:g})": [_with_interval(found[name]) for name in names]
        for way, found in result["ways"].items()
    }
    more = result["tuned_over_single"]
    told = f"{more['mean']:+.3f} ({more['low']:+.3f} to {more['high']:+.3f}), {result['questions']} questions"
    return [*markdown_table(["", *names], rows), "", f"nDCG@10, tuned over the better single way: {told}"]


def _with_interval(found: dict[str, float]) -> str:
    return f"{found['mean']:.3f} ({found['low']:.2f} to {found['high']:.2f})"


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

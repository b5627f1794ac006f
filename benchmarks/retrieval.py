"""How well the right text is found on public question sets, by words, by meaning, by both, and tuned.

    python -m benchmarks.retrieval BENCH [--questions 300] [--train query_encoder rerank]

BENCH is a folder with `squad_dev.jsonl`, `squad_paragraphs.jsonl`, `tldr_pages.jsonl`, `tldr_pairs.jsonl` and
`perlfaq_qa.jsonl` (or THREEPLY_BENCH names it); what is missing is skipped in words. The store is the served
one, made in a temporary folder. One half of the questions chooses the weight of the embeddings, the other
half judges it beside words alone, embeddings alone and the default (recall, nDCG and the mean reciprocal
rank). With --train, two thirds of the first half train a query encoder or a reranker over the weight chosen,
as the stages of these names do, its last third says whether it is kept, and the second half judges it, too.
Processor time is that of a search with the question's embedding. Prints tables; the last line is one JSON
object.
"""

import argparse
import contextlib
import json
import math
import os
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from statistics import fmean
from typing import Any

from benchmarks.question_sets import BENCHES, Bench
from deploy.knowledge.building import build_knowledge
from deploy.knowledge.chunking import chunk_documents
from deploy.knowledge.embedder import SentenceEmbedder
from deploy.knowledge.query_encoder import FOLDER
from deploy.knowledge.store import open_knowledge
from deploy.settings import RetrievalSettings
from tasks.evaluation.markdown import markdown_table
from tasks.machine.progress import Progress
from tasks.rows.records import Example
from tasks.scoring.scores import bootstrap
from tasks.settings import Settings, load_settings
from tasks.training.ranking.query_encoder import make_query_encoder
from tasks.training.ranking.reranker import make_reranker

KS = (1, 3, 5, 10)
TRAINED = ("query_encoder", "rerank")  # the stages of which each can be tried
MEASURED = 50  # chunks asked for: of ten documents many lie among them


WEIGHTS = (0.0, 0.15, 0.3, 0.5, 0.7, 1.0)  # of the embeddings: BM25 alone, mixtures, embeddings alone


def main() -> int:
    """Measure every set that is there."""
    words = argparse.ArgumentParser(prog="python -m benchmarks.retrieval", description=__doc__)
    words.add_argument("folder", nargs="?", default=os.environ.get("THREEPLY_BENCH"), metavar="BENCH")
    words.add_argument("--questions", type=int, default=300, help="drawn from each set")
    words.add_argument("--embedder", type=Path, default=Path("data/models/embedder"))
    words.add_argument("--sets", nargs="+", choices=BENCHES, default=list(BENCHES))
    words.add_argument("--train", nargs="+", choices=TRAINED, default=[], help="for each set: minutes")
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
        results[name] = measure(bench, given.embedder, count=given.questions, trains=given.train)
        print(f"\n{name}: {results[name]['documents']} texts\n")
        print("\n".join(table(results[name])), flush=True)
    print(json.dumps(results))
    return 0


def measure(bench: Bench, embedder: Path, *, count: int, trains: Sequence[str]) -> dict[str, Any]:
    """Figures of each way to search over one half of the questions; the other half has chosen the weight.

    That half has trained what it `trains` as well, each by itself.
    """
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
                top_k=MEASURED,
                candidates=max(settings.retrieval.candidates, MEASURED),
                dense_weight=weight,
                fusion="scores",
            )
            places[weight], _ = searched(folder, embedder, retrieval, questions)
        by_ranks = retrieval.model_copy(update={"dense_weight": 0.5, "fusion": "ranks"})
        ranks_mixed, _ = searched(folder, embedder, by_ranks, questions)
        half = len(questions) // 2
        chosen = max(places, key=lambda weight: fmean(map(gain, places[weight][:half])))
        trained = {name: train(name, Path(made), embedder, questions, chosen, settings) for name in trains}
    judged = {weight: ranks[half:] for weight, ranks in places.items()}
    single = max((0.0, 1.0), key=lambda weight: fmean(map(gain, judged[weight])))
    ways = {"words alone": 0.0, "embeddings alone": 1.0, "the default": usual, "tuned": chosen}
    more = [gain(a) - gain(b) for a, b in zip(judged[chosen], judged[single], strict=True)]
    mixed = {"weight": by_ranks.dense_weight, **figures(ranks_mixed[half:], seed)}
    for each in trained.values():
        more_still = [gain(a) - gain(b) for a, b in zip(each.pop("places"), judged[chosen], strict=True)]
        each["over_tuned"] = asdict(bootstrap(more_still, resamples=1000, seed=seed))
    return {
        "trained": trained,
        "documents": len(bench.documents),
        "questions": len(questions) - half,
        "ways": {
            **{way: {"weight": weight, **figures(judged[weight], seed)} for way, weight in ways.items()},
            "ranks": mixed,
        },
        "tuned_over_single": asdict(bootstrap(more, resamples=1000, seed=seed)),
        "by_weight": {f"{weight:g}": figures(ranks, seed) for weight, ranks in places.items()},
    }


def train(
    name: str,
    made: Path,
    embedder: Path,
    questions: Sequence[tuple[str, str]],
    weight: float,
    settings: Settings,
) -> dict[str, Any]:
    """What the second half of the questions is ranked like with what the first half has trained.

    The index lies in `made`. Where what was trained is left out, the figures are those without it.
    """
    half = len(questions) // 2
    rows = [
        replace(
            Example.plain(str(at), question, "-", source="bench", task="find", group=str(at)),
            evidence=(wanted,),
        )
        for at, (question, wanted) in enumerate(questions[:half])
    ]
    learned = 2 * half // 3
    retriever = made / name
    shutil.copytree(embedder, retriever)
    retrieval = settings.retrieval.model_copy(update={"dense_weight": weight})
    given = rows[:learned], rows[learned:], made / "index"
    with contextlib.redirect_stdout(sys.stderr):
        if name == "rerank":
            result = make_reranker(
                retriever, *given, run=settings.run, retrieval=retrieval, settings=settings.rerank
            )
        else:
            result = make_query_encoder(
                retriever / FOLDER,
                embedder,
                *given,
                run=settings.run,
                retrieval=retrieval,
                settings=settings.query_encoder,
            )
    shown = retrieval.model_copy(update={"top_k": MEASURED})
    places, after = searched(made / "index", retriever, shown, questions[half:])
    _, before = searched(made / "index", embedder, shown, questions[half:])
    return {
        "weight": weight,
        "left_out": result.reason,
        "validation": result.figures,
        "milliseconds": {"without": before, "with": after},
        "places": places,
        **figures(places, settings.run.seed),
    }


def searched(
    index: Path, embedder: Path, retrieval: RetrievalSettings, questions: Sequence[tuple[str, str]]
) -> tuple[list[float], float]:
    """The place of each question's text, and the milliseconds of processor time that a search took."""
    with contextlib.closing(open_knowledge(index, embedder, retrieval)) as store:
        store.search([questions[0][0]])  # what is made at the first search is not a search's time
        started = time.process_time()
        found = [store.search([question])[0] for question, _ in questions]
        each = (time.process_time() - started) / len(questions)
    places = [
        rank([hit.document for hit in hits], wanted)
        for hits, (_, wanted) in zip(found, questions, strict=True)
    ]
    return places, round(each * 1000.0, 2)


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
    count = f"{result['questions']} questions"
    more = [f"nDCG@10, tuned over the better single way: {_gained(result['tuned_over_single'])}, {count}"]
    for kind, found in result["trained"].items():
        rows[f"{kind} ({found['weight']:g})"] = [_with_interval(found[name]) for name in names]
        took = found["milliseconds"]
        if reason := found["left_out"]:
            more.append(f"{kind} was left out: {reason}")
        else:
            more += [
                f"nDCG@10, {kind} over tuned: {_gained(found['over_tuned'])}, {count}",
                f"a search took {took['without']:.1f} ms of processor time, {took['with']:.1f} ms with it",
            ]
    return [*markdown_table(["", *names], rows), "", *more]


def _gained(more: dict[str, float]) -> str:
    return f"{more['mean']:+.3f} ({more['low']:+.3f} to {more['high']:+.3f})"


def _with_interval(found: dict[str, float]) -> str:
    return f"{found['mean']:.3f} ({found['low']:.2f} to {found['high']:.2f})"


def rank(documents: Sequence[str], wanted: str) -> float:
    """The place of `wanted` among the distinct documents, counted from 0; infinite if it is not there."""
    distinct = list(dict.fromkeys(documents))
    return distinct.index(wanted) if wanted in distinct else float("inf")


if __name__ == "__main__":
    raise SystemExit(main())

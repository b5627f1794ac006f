"""A reranker from rows and an index: mined, trained, judged, and left where it is used if it is better."""

import random
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from deploy.atomic import remove
from deploy.knowledge.reranker import FOLDER, Reranker, open_reranker, write_reranker
from deploy.knowledge.store import open_knowledge
from deploy.settings import RetrievalSettings
from tasks.machine.device import Device, set_up_torch
from tasks.machine.settings import RunSettings
from tasks.rows.records import Example
from tasks.rows.sampling import stratified
from tasks.scoring.recall import with_evidence
from tasks.training.reranking.judging import Verdict, ranks
from tasks.training.reranking.mining import Mined, mine, teaching
from tasks.training.settings import RerankSettings

FEWEST = 20  # questions to learn from, and to choose and judge by: of fewer any order may look best
NO_EVIDENCE = "it is not known what answers it"


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """What has come of it: `reason` says why there is no reranker, and is empty where there is one.

    `trained` rows were learned from, `unused` ones were not, by reason.
    """

    reason: str
    trained: int = 0
    unused: dict[str, int] = field(default_factory=dict)
    figures: dict[str, Any] = field(default_factory=dict)


def make_reranker(
    retriever: Path,
    examples: Sequence[Example],
    held_out: Sequence[Example],
    index: Path,
    *,
    run: RunSettings,
    retrieval: RetrievalSettings,
    settings: RerankSettings,
) -> Made:
    """Train a reranker from the embedder in the folder `retriever`, and leave it there if it ranks better.

    It learns from `examples`, one half of `held_out` chooses the state, and the other half judges it.

    Raises:
        KnowledgeError: the embedder is no BERT, or does not fit the index.
        TrainingError: the loss is no number.
    """
    known, judges = with_evidence(examples), with_evidence(held_out)
    without = {NO_EVIDENCE: len(examples) - len(known)}
    if reason := _too_few(len(known), len(judges)):
        return Made(reason=reason, unused=without | {"too few questions": len(known)})
    device = set_up_torch(run)
    rows = stratified(known, settings.max_rows, key=lambda row: row.task, seed=run.seed)
    judges = stratified(judges, settings.validation_rows, key=lambda row: row.task, seed=run.seed)
    random.Random(run.seed).shuffle(judges)
    wanted = retrieval.model_copy(update={"top_k": settings.candidates})
    with closing(open_knowledge(index, retriever, wanted)) as store:
        mined, lost = teaching(mine(rows, store))
        asked = mine(judges, store)
    unused = without | {"over rerank.max_rows": len(known) - len(rows)} | lost
    if len(mined) < FEWEST:
        reason = f"of {len(rows)} questions {len(mined)} have an answer and something else among the first "
        reason += f"{settings.candidates} passages, and {FEWEST} are the least to learn from"
        return Made(reason=reason, unused=unused | {"too few questions": len(mined)})
    print(f"{len(mined)} questions to learn from, {len(asked)} of validation", flush=True)
    choosing, judging = asked[: len(asked) // 2], asked[len(asked) // 2 :]
    figures = _trained(retriever, mined, choosing, device=device, settings=settings, seed=run.seed)
    reranker = open_reranker(retriever, dtype=device.precision, device=device.name)
    started = time.process_time()
    after = ranks(judging, reranker)
    each = (time.process_time() - started) / len(judging)
    found = Verdict.of(ranks(judging), after, top_k=retrieval.top_k, seed=run.seed)
    print(found.sentence(), flush=True)
    print(f"to rerank what is found takes {each * 1000.0:.0f} ms of processor time a question", flush=True)
    figures |= {"kept": found.better, **found.figures()}
    reason = (
        "" if found.better else "it does not rank questions of validation better for sure than the fusion"
    )
    if reason:
        remove(retriever / FOLDER)
    return Made(reason=reason, trained=len(mined), unused=unused, figures=figures)


def _too_few(known: int, judges: int) -> str:
    """Why the rows are not enough, and what is missing; empty where they are."""
    lacking = next(
        ((split, count) for split, count in (("training", known), ("validation", judges)) if count < FEWEST),
        None,
    )
    if lacking is None:
        return ""
    return (
        f"the {lacking[0]} split has {lacking[1]} questions of which it is known what answers them, and "
        f"{FEWEST} are the least; give your questions the column evidence, which names the document with the "
        "answer (docs/test-set.md)"
    )


def _trained(
    retriever: Path,
    mined: Sequence[Mined],
    choosing: Sequence[Mined],
    *,
    device: Device,
    settings: RerankSettings,
    seed: int,
) -> dict[str, Any]:
    """Train, and write what was learned into the folder `retriever`; the figures of it."""
    from deploy.knowledge.cross_encoder import PairTokenizer, learn_above, untrained
    from tasks.training.reranking.learning import learn, mean_reciprocal_rank

    model, tokenizer = (
        untrained(retriever).to(device.name),
        PairTokenizer(retriever, max_tokens=settings.max_tokens),
    )
    learn_above(model, settings.trained_layers)
    present = Reranker(model, tokenizer, candidates=settings.candidates, device=device.name)
    passes = learn(
        model,
        tokenizer,
        mined,
        judge=lambda: mean_reciprocal_rank(choosing, present, device),
        device=device,
        settings=settings,
        seed=seed,
    )
    write_reranker(retriever, model, tokenizer, candidates=settings.candidates)
    pairs = [(each.question, hit.text) for each in mined for hit in each.hits]
    return {
        **device.figures(),
        "chosen_by": len(choosing),
        "passes": passes,
        "pairs": len(pairs),
        "pairs_cut": tokenizer.cut(*zip(*pairs, strict=True)),
    }

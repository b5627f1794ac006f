"""A reranker from rows and an index: mined, trained, judged, and left where it is used if it is better."""

import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from deploy.atomic import remove
from deploy.knowledge.reranker import FOLDER, Reranker, open_reranker, write_reranker
from deploy.knowledge.store import open_knowledge
from deploy.settings import RetrievalSettings
from tasks.machine.device import Device, set_up_torch
from tasks.machine.settings import RunSettings
from tasks.rows.records import Example
from tasks.training.ranking.judging import Verdict, ranks
from tasks.training.ranking.mining import Mined, mine, teaching
from tasks.training.ranking.questions import FEWEST, TOO_FEW, Made, choose_questions
from tasks.training.settings import RerankSettings


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
    chosen = choose_questions(examples, held_out, settings, section="rerank", seed=run.seed)
    if isinstance(chosen, Made):
        return chosen
    device = set_up_torch(run)
    wanted = retrieval.model_copy(update={"top_k": settings.candidates})
    with closing(open_knowledge(index, retriever, wanted)) as store:
        mined, lost = teaching(mine(chosen.rows, store))
        asked = mine(chosen.judges, store)
    unused = chosen.unused | lost
    if len(mined) < FEWEST:
        reason = f"of {len(chosen.rows)} questions {len(mined)} have an answer and something else among the "
        reason += f"first {settings.candidates} passages, and {FEWEST} are the least to learn from"
        return Made(reason=reason, unused=unused | {TOO_FEW: len(mined)})
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
    reason = found.hindrance
    if reason:
        remove(retriever / FOLDER)
    return Made(reason=reason, trained=len(mined), unused=unused, figures=figures)


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
    from tasks.training.ranking.cross_encoding import learn, mean_reciprocal_rank

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

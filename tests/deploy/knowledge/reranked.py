"""Rerankers with random weights, for tests: they put what is found in an order of their own."""

import shutil
from pathlib import Path

from deploy.knowledge.reranker import Reranker, open_reranker, write_reranker


def write_random_reranker(embedder: Path, folder: Path, *, candidates: int = 10, seed: int = 0) -> Path:
    """Fill `folder` with a copy of `embedder` and a reranker whose every learned weight is random."""
    import torch

    from deploy.knowledge.cross_encoder import PairTokenizer, learn_above, untrained

    shutil.copytree(embedder, folder)
    model = untrained(folder)
    learn_above(model, None)
    torch.manual_seed(seed)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.requires_grad and parameter.ndim:
                parameter.normal_(std=0.5)
        model.head.normal_(std=3.0)
        model.prior.fill_(-2.0)  # so that the fusion hardly counts
    write_reranker(folder, model, PairTokenizer(folder, max_tokens=64), candidates=candidates)
    return folder


def random_reranker(embedder: Path, folder: Path, *, candidates: int = 10) -> Reranker:
    """Such a reranker, opened."""
    opened = open_reranker(write_random_reranker(embedder, folder, candidates=candidates))
    assert opened is not None
    return opened

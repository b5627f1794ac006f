"""Query encoders with random changes, for tests: they read questions otherwise than the embedder."""

import shutil
from pathlib import Path

from deploy.knowledge.embedder import embedder_identity
from deploy.knowledge.query_encoder import FOLDER, learn_all_but_words, write_query_encoder
from deploy.knowledge.trained import learned


def write_random_query_encoder(embedder: Path, folder: Path, *, spread: float = 0.5, seed: int = 0) -> Path:
    """Fill `folder` with a copy of `embedder` and a query encoder whose every learned weight has moved."""
    import torch
    from transformers import AutoModel

    shutil.copytree(embedder, folder, dirs_exist_ok=True)
    model = AutoModel.from_pretrained(embedder, dtype=torch.float32)
    learn_all_but_words(model)
    torch.manual_seed(seed)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.requires_grad:
                parameter.add_(torch.randn_like(parameter) * spread)
    write_query_encoder(folder / FOLDER, embedder_identity(embedder), learned(model))
    return folder

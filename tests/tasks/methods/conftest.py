"""Every method on a tiny model, trained for a few steps."""

from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from tasks.methods import METHODS
from tasks.methods.method import Adapted, Material

Tuned = Callable[[str], tuple[Adapted, Path, list[float]]]

# One or more settings of each method, small enough for a model of width 32.
CASES: dict[str, tuple[str, dict[str, Any]]] = {
    "full": ("full", {}),
    "selective last": ("selective", {"which": "last_layers", "layers": 2}),
    "selective norms": ("selective", {"which": "norms_and_biases"}),
    "selective patterns": ("selective", {"which": "patterns", "patterns": [r"q_proj", r"layers\.3\.mlp"]}),
    "adapter": ("adapter", {"width": 8}),
    "lora": ("lora", {"rank": 4}),
    "lora upper": ("lora", {"rank": 4, "trained_layers": 2, "targets": ["q_proj", "v_proj"]}),
    "rslora": ("lora", {"rank": 4, "variant": "rslora"}),
    "dora": ("lora", {"rank": 4, "variant": "dora"}),
    "pissa": ("lora", {"rank": 4, "variant": "pissa"}),
    "lora dropout": ("lora", {"rank": 4, "dropout": 0.1}),
    "lora plus": ("lora", {"rank": 4, "plus_ratio": 16.0}),
    "qlora": ("qlora", {"rank": 4, "dropout": 0.0}),
    "prefix": ("prefix", {"tokens": 5, "encoder_width": 16}),
    "prompt": ("prompt", {"tokens": 5}),
    "prompt text": ("prompt", {"tokens": 7, "text": "Answer from the sources only"}),
    "p_tuning_v1 lstm": ("p_tuning_v1", {"tokens": 5, "encoder_width": 16}),
    "p_tuning_v1 mlp": ("p_tuning_v1", {"tokens": 5, "encoder": "mlp", "encoder_width": 16}),
    "p_tuning_v1 attention": ("p_tuning_v1", {"tokens": 5, "encoder": "attention", "encoder_width": 16}),
    "p_tuning_v2": ("p_tuning_v2", {"tokens": 5}),
    "pruning magnitude": ("pruning", {"kind": "magnitude", "rank": 4}),
    "pruning wanda": ("pruning", {"kind": "wanda", "rank": 4}),
    "pruning wanda full": ("pruning", {"kind": "wanda", "recovery": "full"}),
    "pruning channels": ("pruning", {"kind": "channels", "rank": 4}),
    "pruning channels full": ("pruning", {"kind": "channels", "recovery": "full"}),
    "lora_pro": ("lora_pro", {"rank": 4}),
    "hybrid": ("hybrid", {"rank": 4, "width": 8, "prefix": 3}),
    "hybrid pair": ("hybrid", {"rank": 4, "width": 8, "prefix": 0}),
}

# bitsandbytes is an extra; `.ci/run` installs it and runs these cases after the others.
MISSING = set() if find_spec("bitsandbytes") else {"qlora"}
CASES = {case: told for case, told in CASES.items() if told[0] not in MISSING}


def fresh(base: Path) -> Any:
    """The tiny model, frozen, as a stage loads it."""
    import torch
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32)
    model.config.use_cache = False
    return model.requires_grad_(False)


def material(base: Path) -> Material:
    from deploy.engines.chat import load_tokenizer

    tokenizer = load_tokenizer(base)
    texts = ("In `svm.SVC`, what is the default of `C`?", "kernel='rbf' : str gamma='scale' tol=0.001")
    return Material(tokenizer=tokenizer, rows=[tokenizer.encode(text) for text in texts])


def attached(case: str, base: Path) -> Adapted:
    """The method of a case on a fresh model, equal at each call."""
    import torch

    name, values = CASES[case]
    torch.manual_seed(0)
    method = METHODS[name]
    adapted = method.attach(fresh(base), method.settings(**values), material(base))
    adapted.model.eval()  # what drops inputs would do so from the start
    return adapted


def final(adapted: Adapted, rows: Any) -> Any:
    """The final states of right-padded rows."""
    if adapted.hidden is not None:
        return adapted.hidden(rows, None)
    return adapted.model.get_decoder()(input_ids=rows, use_cache=False).last_hidden_state


def logits(adapted: Adapted, rows: Any) -> Any:
    return adapted.model.get_output_embeddings()(final(adapted, rows))


def rows() -> Any:
    import torch

    return torch.randint(3, 300, (4, 12), generator=torch.Generator().manual_seed(1))


def train(adapted: Adapted, steps: int = 4, rate: float = 1e-2) -> list[float]:
    """Learn random rows by heart for some steps; the losses."""
    import torch
    from torch.nn import functional

    trained = list(adapted.trained().values())
    optimizer = adapted.optimizer(rate, 0.0) if adapted.optimizer else torch.optim.AdamW(trained, lr=rate)
    losses = []
    for _ in range(steps):
        batch = rows()
        guess = logits(adapted, batch)[:, :-1]
        loss = functional.cross_entropy(guess.transpose(1, 2), batch[:, 1:])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


@pytest.fixture(scope="session")
def tuned(tiny_base: Path, tmp_path_factory: pytest.TempPathFactory) -> Tuned:
    """For a case the trained model, the folder that it was written to, and its losses; each made once."""
    made: dict[str, tuple[Adapted, Path, list[float]]] = {}

    def make(case: str) -> tuple[Adapted, Path, list[float]]:
        if case not in made:
            adapted = attached(case, tiny_base)
            losses = train(adapted)
            folder = tmp_path_factory.mktemp("methods") / case.replace(" ", "_")
            adapted.write(folder)
            made[case] = (adapted, folder, losses)
        return made[case]

    return make

"""Protects packed weights: what a model says over them is what it says over its own, bit for bit."""

from pathlib import Path

import pytest
import torch
from transformers import PreTrainedModel
from transformers.cache_utils import DynamicCache

from deploy.adapters import packed, switching
from deploy.adapters.adapter import Adapter, Replacement
from deploy.adapters.packing import can_pack
from deploy.adapters.switching import Adapters
from deploy.engines.loading import Dtype, load_model
from tests.conftest import write_tiny_model

pytestmark = pytest.mark.skipif(not can_pack(), reason="oneDNN packs bfloat16 on CPUs that multiply it")
TURNS = ("base", "sft", "rlhf", "sft", "base", "rlhf")


def said(model: PreTrainedModel, rows: int) -> torch.Tensor:
    tokens = torch.arange(rows * 9).reshape(rows, 9) % 50
    with torch.inference_mode():
        logits: torch.Tensor = model(input_ids=tokens, use_cache=False).logits
    return logits


def decoded(model: PreTrainedModel, rows: int) -> torch.Tensor:
    """The logits of three steps behind a prompt whose first row is padded."""
    cache = DynamicCache(config=model.config)
    seen = torch.ones((rows, 9), dtype=torch.long)
    seen[0, :2] = 0
    found, tokens = [], torch.arange(rows * 9).reshape(rows, 9) % 50
    with torch.inference_mode():
        for _ in range(3):
            logits = model(
                input_ids=tokens,
                attention_mask=seen,
                position_ids=(seen.cumsum(1) - 1).clamp(min=0)[:, -tokens.shape[1] :],
                past_key_values=cache,
                use_cache=True,
            ).logits
            found.append(logits[:, -1])
            tokens = logits[:, -1:].argmax(-1)
            seen = torch.cat([seen, seen.new_ones((rows, 1))], dim=1)
    return torch.stack(found)


def both(
    base: Path, folders: dict[str, Path], dtype: Dtype = "bfloat16"
) -> tuple[PreTrainedModel, Adapters, PreTrainedModel, Adapters]:
    """A model whose weights are packed, and one whose weights are not, with the same adapters."""
    fast, plain = (load_model(base, dtype=dtype, device="cpu") for _ in range(2))
    return (
        fast,
        Adapters(fast, folders, stored=torch.float32, packs=True),
        plain,
        Adapters(plain, folders, stored=torch.float32),
    )


@pytest.mark.parametrize("family", ["llama", "qwen2", "mistral", "gemma", "phi3", "olmo2"])
def test_each_model_says_the_same_over_packed_weights_however_often_they_change(
    family: str, tmp_path: Path, tiny_base: Path, tiny_adapters: dict[str, Path]
) -> None:
    base = tiny_base if family == "llama" else write_tiny_model(tmp_path, family)
    folders = tiny_adapters if family == "llama" else {}
    fast, packs, plain, keeps = both(base, folders)
    linears = [module for module in fast.modules() if type(module) is torch.nn.Linear]
    assert len(linears) > 8
    joined = [module for module in fast.modules() if "forward" in vars(module) and hasattr(module, "q_proj")]
    assert sum("forward" in vars(linear) for linear in linears) == len(linears) - 3 * len(joined)
    assert bool(joined) == (family in ("llama", "qwen2", "mistral", "gemma"))
    for model in TURNS if folders else ("base",):
        packs.activate(model)
        keeps.activate(model)
        for rows in (1, 2, 5):
            assert torch.equal(said(fast, rows), said(plain, rows))
            assert torch.equal(decoded(fast, rows), decoded(plain, rows))


def test_products_are_not_one_where_an_adapter_adds_to_a_part_of_them(
    tiny_base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    part = "model.layers.1.self_attn.k_proj"
    adapter = Adapter(added={part: lambda output: output * 0.5})
    monkeypatch.setattr(switching, "read_adapter", lambda _: adapter)
    fast, packs, plain, keeps = both(tiny_base, {"sft": Path("sft")})
    own = said(plain, 2)
    assert "forward" in vars(fast.get_submodule(part))
    for model in ("sft", "base", "sft"):
        packs.activate(model)
        keeps.activate(model)
        assert torch.equal(said(fast, 2), said(plain, 2))
    assert not torch.equal(said(fast, 2), own)


def test_what_others_share_is_not_packed_where_an_adapter_changes_it(
    tiny_base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = load_model(tiny_base, dtype="bfloat16", device="cpu")
    embeddings = plain.get_input_embeddings().weight
    assert plain.lm_head.weight is embeddings
    changed = Replacement(tensor=embeddings.detach().flip(0).clone(), shape=tuple(embeddings.shape))
    adapter = Adapter(updates={"model.embed_tokens.weight": changed})
    monkeypatch.setattr(switching, "read_adapter", lambda _: adapter)
    fast, packs, plain, keeps = both(tiny_base, {"sft": Path("sft")})
    for model in ("base", "sft", "base"):
        packs.activate(model)
        keeps.activate(model)
        assert torch.equal(said(fast, 2), said(plain, 2))


def test_nothing_is_packed_where_it_would_take_too_much_memory_or_gains_nothing(
    tiny_base: Path, tiny_adapters: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    own = load_model(tiny_base, dtype="bfloat16", device="cpu")
    size = sum(module.weight.nbytes for module in own.modules() if type(module) is torch.nn.Linear)
    for dtype, most in (("float32", 2**31), ("bfloat16", size)):  # that of the adapters comes on top
        monkeypatch.setattr(packed, "_MOST_BYTES", most)
        fast, packs, plain, keeps = both(tiny_base, tiny_adapters, dtype)  # type: ignore[arg-type]
        assert not any("forward" in vars(module) for module in fast.modules())
        for model in TURNS[:3]:
            packs.activate(model)
            keeps.activate(model)
            assert torch.equal(said(fast, 2), said(plain, 2))

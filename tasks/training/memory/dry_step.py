"""A training step gone through without numbers: how many bytes its tensors take at their peak.

The model is built on the meta device, where tensors have a shape and no data, and goes through the code that
trains: the method's `attach`, the fused layers, forward and backward. Every storage that comes and goes is
counted, so a new method or another architecture needs no formula here. A step takes about a second.

Import this module late: torch is needed to define it.
"""

import gc
import weakref
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor
from torch.autograd import Variable
from torch.nn import functional
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from transformers import AutoModelForCausalLM, PreTrainedModel

from tasks.methods import METHODS, qlora
from tasks.methods.layers.fusing import fuse_layers
from tasks.methods.layers.language_head import head_logits
from tasks.methods.layers.shared_prefix import SharedPrefix, final_states
from tasks.methods.method import Adapted, Material, MethodSettings
from tasks.methods.parts.lora_pro_optimizer import LoraPro, pairs
from tasks.methods.parts.targets import linear_modules
from tasks.training.memory.batch import Load
from tasks.training.memory.shape import ModelShape

META = "meta"
# Bits of a weight in NF4 with double quantisation: 4, an 8-bit scale for 64 of them, a float for 256 scales
# (Dettmers et al. 2023, section 3).
NF4_BITS = 4 + 8 / 64 + 32 / (64 * 256)


@dataclass(frozen=True, slots=True, kw_only=True)
class DryStep:
    """What a run would hold, in bytes, and how many numbers would learn of how many.

    `weights` are those of the base as the method leaves them, with what it adds; `moments` those of the
    optimiser; `gradients` what is left of a step; `step` the most that activations and gradients take
    together; `written` what is copied to be saved.
    """

    trainable: int
    total: int
    weights: int
    moments: int
    gradients: int
    step: int
    written: int


class Census(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Counts the bytes of the tensors that are alive, and their peak."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.now = self.peak = 0
        self._alive: dict[int, tuple[int, Any]] = {}

    def enter(self, tensors: Iterable[Tensor]) -> None:
        """Count the storages of `tensors`, each once."""
        for tensor in tensors:
            storage = tensor.untyped_storage()
            key = storage._cdata
            if key not in self._alive:
                gone = weakref.ref(storage, partial(self._leave, key))
                self._alive[key] = (storage.nbytes(), gone)
                self.now += storage.nbytes()
        self.peak = max(self.peak, self.now)

    def _leave(self, key: int, _: Any) -> None:
        self.now -= self._alive.pop(key)[0]

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func is torch.ops.aten._local_scalar_dense.default:
            return True  # whether rows are unpacked, which transformers asks of their positions
        made = func(*args, **(kwargs or {}))
        self.enter(part for part in tree_leaves(made) if isinstance(part, Tensor))
        return made


class FlashAttention(TorchFunctionMode):
    """Attention as the kernels do it, which keep no scores; on the meta device torch would form them all."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        named = kwargs or {}
        if func is not functional.scaled_dot_product_attention:
            return func(*args, **named)
        query, key, value = (part.contiguous() for part in args[:3])
        mask, causal = named.get("attn_mask"), bool(named.get("is_causal", False))
        if named.get("enable_gqa"):
            groups = query.shape[1] // key.shape[1]
            key, value = (part.repeat_interleave(groups, dim=1) for part in (key, value))
        kernel = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu
        return kernel(query, key, value, 0.0, causal, attn_mask=mask, scale=named.get("scale"))[0]


def dry_step(
    shape: ModelShape,
    method: str,
    settings: MethodSettings,
    load: Load,
    *,
    dtype: torch.dtype,
    fuse_lora: bool = True,
    gradient_checkpointing: bool = False,
    accumulation: int = 1,
) -> DryStep:
    """What a run over batches like `load` would hold, by the shape of the model alone.

    `fuse_lora`: whether LoRA layers train as one product.
    """
    census = Census()
    # What is drawn here must not change what is drawn in the training that follows.
    with torch.random.fork_rng(devices=[]), torch.device(META), census:
        model = empty(shape, dtype)
        linear = sum(module.weight.numel() for module in linear_modules(model).values())
        adapted = attached(model, shape, method, settings)
    rounded = isinstance(settings, qlora.QloraSettings)
    fused = fuse_layers(model, lora=fuse_lora, recompute=gradient_checkpointing)
    gc.collect()
    weights = census.peak = census.now
    learning = list(adapted.trained().values())
    with torch.device(META), FlashAttention(), census:
        if accumulation > 1:  # the gradients of the batches before are there
            for part in learning:
                part.grad = torch.empty_like(part)
        loss = _loss(adapted, load, fused=fused)
        # What `loss.backward()` calls; on its way there torch would switch the modes off.
        Variable._execution_engine.run_backward(
            (loss,), (torch.ones_like(loss),), False, False, (), allow_unreachable=True, accumulate_grad=True
        )
    # Weights that are made from others are written as they come out, and copied for that.
    made = 2 * 4 * linear if method == "pruning" else 0
    gradients = sum(part.nbytes for part in learning)
    return DryStep(
        trainable=adapted.trainable,
        total=sum(part.numel() for part in model.parameters()),
        weights=weights - (int(linear * (dtype.itemsize - NF4_BITS / 8)) if rounded else 0),
        moments=_moments(adapted),
        gradients=gradients,
        step=max(census.peak - weights, gradients),
        written=max(made, gradients),
    )


def empty(shape: ModelShape, dtype: torch.dtype) -> PreTrainedModel:
    """A model of a shape, frozen; without numbers, if the default device is `META`."""
    model = AutoModelForCausalLM.from_config(shape.config, dtype=dtype)
    model.config.use_cache = False
    return model.requires_grad_(False).train()


def attached(model: PreTrainedModel, shape: ModelShape, method: str, settings: MethodSettings) -> Adapted:
    """The method on a model without numbers; bitsandbytes rounds real ones only, so qlora is its LoRA."""
    material = Material(tokenizer=shape.tokenizer, rows=[[0]])
    if isinstance(settings, qlora.QloraSettings):
        weights = sum(part.numel() for part in model.parameters())
        return METHODS["lora"].attach(model, qlora.low_rank(settings, weights), material)
    return METHODS[method].attach(model, settings, material)


def _loss(adapted: Adapted, load: Load, *, fused: bool) -> Tensor:
    """The loss of a batch, as `tasks.training.tuning.trainer.answer_loss` takes it."""
    rows, length = load.rows, load.length
    batch = torch.zeros(rows, length, dtype=torch.long)
    shared = SharedPrefix(
        tokens=batch.new_zeros(1, load.tokens),
        positions=batch.new_zeros(1, load.tokens),
        places=batch,
        origins=batch.new_zeros(load.tokens),
    )
    states = final_states(adapted.model, batch, shared if fused else None, adapted.hidden)
    answers = batch.new_zeros(max(load.answers, 1))
    logits = head_logits(adapted.model, states.flatten(0, 1)[answers])
    return functional.cross_entropy(logits, answers, reduction="sum")


def _moments(adapted: Adapted) -> int:
    """The bytes of the two running means that AdamW keeps, and LoRA-Pro for the whole weight."""
    if adapted.optimizer is not None and isinstance(adapted.optimizer(1.0, 0.0), LoraPro):
        return sum(2 * 4 * b.shape[0] * a.shape[1] for a, b in pairs(adapted.model))
    return sum(2 * part.nbytes for part in adapted.trained().values())

"""Four models in the memory of one: policy, reference, reward model and value head over a shared base.

The reference is the adapter that fine-tuning left, the policy a copy of it whose topmost layers learn, the
reward model one adapter or several that differ in their topmost layers alone. Below them all are the same
frozen model, so those layers run once for each token (`split_decoder`) and only what lies above runs for each
model.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import torch
from peft import LoraConfig, PeftModel, get_peft_model_state_dict, set_peft_model_state_dict
from peft.tuners.tuners_utils import BaseTunerLayer
from safetensors.torch import save_file
from torch import Tensor, nn

from deploy.adapters.names import WEIGHTS
from tasks.errors import TrainingError
from tasks.machine.device import Device
from tasks.methods.layers.fused_lora import fuse_lora
from tasks.methods.layers.held_lora import held, hold
from tasks.methods.parts.base_model import load_base
from tasks.methods.parts.files import read_config, read_weights, write_config
from tasks.methods.parts.targets import layer_of, layers_of
from tasks.training.reinforcement.rollouts import Batch
from tasks.training.rewards.model import SCORE, members
from tasks.training.split_decoder import SplitDecoder, uncuttable

Role = str  # "policy", "reference", or a member of the reward model
VALUE_HEAD = "value_head.safetensors"


class Actors:
    """The models of RLHF; `decoder` runs whichever of them is active.

    `heads` are those of the members of the reward model, by their role; without one there is none.
    `has_values` says whether there is a value head.
    """

    def __init__(
        self, model: PeftModel, heads: Mapping[Role, Tensor], *, split: int, trained: range, has_values: bool
    ) -> None:
        base = model.get_base_model()
        self.decoder = SplitDecoder(base, split)
        self.value_head: nn.Linear | None = None
        if has_values:
            width = base.config.get_text_config().hidden_size
            self.value_head = nn.Linear(width, 1, device=self.decoder.device)
            nn.init.zeros_(self.value_head.weight)
            nn.init.zeros_(self.value_head.bias)
        self._model, self._heads = model, heads
        layers = {
            name: module for name, module in model.named_modules() if isinstance(module, BaseTunerLayer)
        }
        self._upper = [module for name, module in layers.items() if inner_layer(name) >= split]
        for name, module in layers.items():
            if inner_layer(name) < split:
                module.set_adapter("reference", inference_mode=True)
                if self.decoder.dtype == torch.float32:
                    module.merge(adapter_names=["reference"])
        self.trained = {
            name: parameter
            for name, parameter in model.named_parameters()
            if ".policy." in name and inner_layer(name) in trained
        }
        if not self.trained:
            raise TrainingError(
                "no layer of the policy would learn: the sft adapter has none in the topmost "
                f"{len(trained)} layers; raise rlhf.trained_layers in params.yaml"
            )
        self._set_active("policy")
        fuse_lora(model)
        hold(module for name, module in layers.items() if inner_layer(name) < split)

    def parameters(self) -> dict[str, nn.Parameter]:
        """What learns, by name: the policy's topmost adapter layers and the value head, if there is one."""
        named = self.value_head.named_parameters() if self.value_head is not None else ()
        return {**self.trained, **{f"value_head.{name}": parameter for name, parameter in named}}

    @contextmanager
    def activate(self, role: Role) -> Iterator[None]:
        """Let `decoder` be the model of `role`, its adapter added into the weights: fast, but not trainable.

        The weights are put back as they were, to the bit. In bfloat16 the sum would be rounded too far, so
        there the adapter stays beside them, and both are held for the block.
        """
        self._set_active(role)
        kept: list[tuple[BaseTunerLayer, Tensor]] = []
        try:
            if self.decoder.dtype == torch.float32:
                for module in self._upper:
                    weight = module.get_base_layer().weight
                    kept.append((module, weight.data))
                    weight.data = weight.data + module.get_delta_weight(role)
                    module.merged_adapters.append(role)
            with held(self._upper):
                yield
        finally:
            for module, data in kept:
                module.get_base_layer().weight.data = data
                module.merged_adapters.clear()
            self._set_active("policy")

    def before_tokens(self, batch: Batch) -> Tensor:
        """The final states that predict each response token, [rollouts, tokens, width].

        They are those of the policy, and teach it, unless another role is active.
        """
        return self._final(batch)[batch.branches.row, batch.branches.before]

    def values(self, final: Tensor) -> Tensor:
        """The expected rest of the reward, [rollouts, tokens], read from the policy's final states.

        They are not taught by it: the policy has a loss of its own. Without a value head all are 0.
        """
        if self.value_head is None:
            return final.new_zeros(final.shape[:-1], dtype=torch.float32)
        return self.value_head(final.detach().float()).squeeze(-1)

    def rewards(self, batches: Sequence[Batch]) -> Tensor:
        """The score of each response, [rollouts]: the lowest that a member of the reward model gives it."""
        by_member: list[Tensor] = []
        for role in self._heads:
            with self.activate(role):
                by_member.append(torch.cat([self.scores(batch, role) for batch in batches]))
        return torch.stack(by_member).amin(dim=0)

    def scores(self, batch: Batch, role: Role) -> Tensor:
        """The score of each response at its last token, [rollouts], by the member that is active."""
        last = self._final(batch)[batch.branches.row, batch.branches.last]
        return (last.float() @ self._heads[role].T).flatten()

    def save_adapter(self, folder: Path) -> None:
        """Write the policy as a whole LoRA adapter, lower layers included, and a value head beside it."""
        folder.mkdir(parents=True, exist_ok=True)
        self._model.peft_config["policy"].save_pretrained(folder)
        write_config(folder)
        weights = get_peft_model_state_dict(self._model, adapter_name="policy", save_embedding_layers=False)
        save_file(
            {name: tensor.detach().contiguous().cpu() for name, tensor in sorted(weights.items())},
            folder / WEIGHTS,
        )
        if self.value_head is not None:
            head = {name: part.detach().cpu() for name, part in self.value_head.named_parameters()}
            save_file(head, folder / VALUE_HEAD)

    def _final(self, batch: Batch) -> Tensor:
        return self.decoder.upper(batch.states, positions=batch.branches.positions, mask=batch.branches.mask)

    def _set_active(self, role: Role) -> None:
        for module in self._upper:
            module.set_adapter(role, inference_mode=True)
        for parameter in self.trained.values():
            parameter.requires_grad_(role == "policy")


def load_actors(
    base: Path,
    sft: Path,
    reward: Path | None,
    device: Device,
    *,
    trained_layers: int,
    longest: int,
    has_values: bool = False,
) -> Actors:
    """The actors from their folders, cut as high as trained layers and reward model allow.

    They read rows of at most `longest` tokens.

    Raises:
        TrainingError: an adapter is missing, does not fit, or has weights outside the decoder's layers; or
            the base cannot be cut.
    """
    tuned = read_weights(sft)
    # Rows and their branches are kept apart by masks, which sdpa reads alone.
    model = load_base(base, replace(device, attn_implementation="auto"))
    if reason := uncuttable(model, longest=longest):
        raise TrainingError(f"rlhf cannot train {base}: {reason}; set rlhf.enabled: false in params.yaml")
    trained = layers_of(model, trained_layers)
    tuning = _causal(read_config(sft))
    peft = PeftModel(model, tuning, adapter_name="reference")
    peft.add_adapter("policy", _causal(read_config(sft)))
    _fill(peft, "reference", tuned)
    _fill(peft, "policy", tuned)
    split = trained.start
    heads: dict[Role, Tensor] = {}
    for number, folder in enumerate(members(reward) if reward else ()):
        role, judging = f"reward_{number}", read_weights(folder)
        if (head := judging.pop(SCORE, None)) is None:
            raise TrainingError(f"{folder} has no score head; run dvc repro reward")
        heads[role] = head.float().to(device.name)
        scoring = _causal(read_config(folder))
        peft.add_adapter(role, scoring)
        _fill(peft, role, judging)
        alike = (tuning.lora_alpha, tuning.use_rslora) == (scoring.lora_alpha, scoring.use_rslora)
        split = min(split, lowest_difference(tuned, judging, layers=trained.stop)) if alike else 0
    peft.requires_grad_(False).eval()
    return Actors(peft, heads, split=split, trained=trained, has_values=has_values)


def lowest_difference(one: Mapping[str, Tensor], other: Mapping[str, Tensor], *, layers: int) -> int:
    """The lowest layer in which two adapters differ; `layers` if they are the same.

    Raises:
        TrainingError: a tensor belongs to no layer.
    """
    differing = [
        inner_layer(name)
        for name in one.keys() | other.keys()
        if name not in one or name not in other or not torch.equal(one[name], other[name])
    ]
    return min(differing, default=layers)


def inner_layer(name: str) -> int:
    """The number of the decoder layer that a module or tensor belongs to.

    Raises:
        TrainingError: it belongs to none.
    """
    found = layer_of(name)
    if found is None:
        raise TrainingError(
            f"the adapter reaches {name}, outside the decoder's layers; rlhf needs sft.targets inside them"
        )
    return found


def _causal(config: LoraConfig) -> LoraConfig:
    """`config` for a causal language model without dropout or further modules such as a score head."""
    config.task_type, config.modules_to_save = "CAUSAL_LM", None
    config.lora_dropout, config.inference_mode = 0.0, False
    return config


def _fill(model: PeftModel, role: Role, weights: Mapping[str, Tensor]) -> None:
    result = set_peft_model_state_dict(model, dict(weights), adapter_name=role)
    missing = [key for key in result.missing_keys if f".{role}." in key]
    if missing or result.unexpected_keys:
        wrong = (missing or result.unexpected_keys)[0]
        raise TrainingError(f"the {role} adapter does not fit the base model at {wrong}; run dvc repro")

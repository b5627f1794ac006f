"""What every adaptation method is: typed settings, a way to attach it to a model, and what it cannot do."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from deploy.errors import SettingsError
from deploy.settings import Positive, Section
from tasks.methods.note import MethodNote, write_note

if TYPE_CHECKING:
    from torch import Tensor, nn
    from torch.optim import Optimizer
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

    from tasks.methods.layers.shared_prefix import SharedPrefix


Ability = Literal[
    "merge",
    "hot_swap",
    "mixed_batch",
    "packing",
    "gradient_checkpointing",
    "resume",
    "sharding",
    "zero3",
    "rlhf",
    "images",
    "cpu",
]
ABILITIES: dict[Ability, str] = {
    "merge": "its result can be put into the weights of the base, once and for all",
    "hot_swap": "a running server can switch to it and back",
    "mixed_batch": "rows of one batch can be answered by different adapters of it (PEFT's `adapter_names`)",
    "packing": "rows of one batch can be trained on as one sequence",
    "gradient_checkpointing": "activations can be computed anew instead of being kept",
    "resume": "a killed training goes on as if it had not been",
    "sharding": "its training can be spread over processes that each keep a part of the weights (FSDP)",
    "zero3": "DeepSpeed can do so as well, by ZeRO's stage 3; stages 1 and 2 ask for sharding alone",
    "rlhf": "RLHF can go on from its result",
    "images": "it adapts models that read pictures, too",
    "cpu": "it trains without a GPU",
}
# Why methods that put something before the prompt, or change whole weights, lack some of them.
NO_MERGE = "what stands before a prompt is no weight"
SOFT_PROMPT_CANNOT: dict[Ability, str] = {
    "merge": NO_MERGE,
    "mixed_batch": "PEFT's adapter_names takes no virtual tokens",
    "rlhf": "reward model and policy start from a LoRA adapter",
    "images": "a picture has no prompt that anything could stand before",
    "zero3": "DeepSpeed does not come to an end of gathering weights that stand before the layers",
}
REPLACING_CANNOT: dict[Ability, str] = {
    "mixed_batch": "its weights take the place of the base's, and a batch has one base",
    "rlhf": "reward model and policy share the base's weights and start from a LoRA adapter",
}

Hidden = Callable[["Tensor", "SharedPrefix | None"], "Tensor"]


class MethodSettings(Section):
    """Settings that every method has."""

    learning_rate: Positive


@dataclass(frozen=True, slots=True, kw_only=True)
class Adapted:
    """A model to which a method is attached.

    What `model` has with `requires_grad` is what learns. `write` puts the result into a folder that
    `deploy.adapters` reads. `hidden` gives the final states [rows, tokens, width] of right-padded rows where
    the method needs a way of its own; where fused layers take the rows as one sequence, it gives those
    of the sequence, [1, tokens, width]. `optimizer` makes one of its own from a rate and a decay.
    """

    model: "PreTrainedModel"
    write: Callable[[Path], None]
    hidden: "Hidden | None" = None
    optimizer: "Callable[[float, float], Optimizer] | None" = None

    def trained(self) -> "dict[str, nn.Parameter]":
        """What learns, by name."""
        return {name: part for name, part in self.model.named_parameters() if part.requires_grad}

    @property
    def trainable(self) -> int:
        """How many numbers learn."""
        return sum(part.numel() for part in self.trained().values())

    @property
    def total(self) -> int:
        """How many numbers the model has; weights in four bits, count as what they stand for."""
        return sum(map(numbers, self.model.parameters()))


def numbers(part: "nn.Parameter") -> int:
    """How many numbers a parameter has; packed into four bits, how many it stands for."""
    packed: Any = getattr(part, "quant_state", None)
    return part.numel() if packed is None else int(packed.shape.numel())


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """What a method may look at before it starts: the rows that will be trained on, as tokens.

    Pictures have neither tokens nor a tokenizer.
    """

    tokenizer: "PreTrainedTokenizerBase | None"
    rows: Sequence[Sequence[int]] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """An adaptation method.

    `attach` is given the frozen model, the settings, and what it may look at. `cannot` says what the method
    cannot do, with the reasons, and `cannot_with` what it cannot do besides under a setting, such as
    `variant: dora`: the only places that do. `load` brings the frozen model into memory where the method
    wants it in a form of its own.
    """

    name: str
    summary: str
    settings: type[MethodSettings]
    attach: "Callable[[PreTrainedModel, Any, Material], Adapted]"
    cannot: Mapping[Ability, str] = field(default_factory=dict)
    cannot_with: Mapping[str, Mapping[Ability, str]] = field(default_factory=dict)
    load: "Callable[[Path, Any], PreTrainedModel] | None" = None  # from a folder, on a device

    def refusal(self, ability: Ability, settings: MethodSettings) -> str:
        """Why the method, set like this, has not the ability; empty if it has."""
        reasons = dict(self.cannot)
        for setting, more in self.cannot_with.items():
            key, _, value = setting.partition(": ")
            if str(getattr(settings, key)) == value:
                reasons |= more
        reason = reasons.get(ability, "")
        return f"sft.method {self.name} cannot {_VERBS[ability]}: {reason}" if reason else ""

    def note(
        self, folder: Path, settings: MethodSettings, *, besides: "Mapping[Ability, str] | None" = None
    ) -> None:
        """Write beside an adapter which method made it, how it was set, and what it cannot do.

        `besides` are the reasons that lie not in the method but in the model.
        """
        found = {ability: self.refusal(ability, settings) for ability in ABILITIES}
        refusals = {ability: reason or (besides or {}).get(ability, "") for ability, reason in found.items()}
        note = MethodNote(
            method=self.name,
            settings=settings.model_dump(mode="json"),
            cannot={ability: reason for ability, reason in refusals.items() if reason},
        )
        write_note(folder, note)

    def require(self, ability: Ability, settings: MethodSettings) -> None:
        """Check that the method, set like this, has the ability.

        Raises:
            SettingsError: it has not; the message says why.
        """
        if refusal := self.refusal(ability, settings):
            raise SettingsError(refusal)


_VERBS: dict[Ability, str] = {
    "merge": "be merged into the base",
    "hot_swap": "be switched at run time",
    "mixed_batch": "answer a batch together with other adapters",
    "packing": "be trained on packed rows",
    "gradient_checkpointing": "be trained with gradient checkpointing",
    "resume": "go on after a kill",
    "sharding": "be trained with its weights spread over processes",
    "zero3": "be trained with its weights spread by DeepSpeed's stage 3",
    "rlhf": "be followed by RLHF",
    "images": "adapt a model that reads pictures",
    "cpu": "be trained on a CPU",
}


def unmatched(what: str, wanted: Iterable[str], there: Iterable[str]) -> SettingsError:
    """The error for targets that match nothing: it lists what exists."""
    return SettingsError(
        f"sft.{what}: nothing in the model is called {', '.join(wanted)}; there are: "
        + ", ".join(sorted(there))
    )

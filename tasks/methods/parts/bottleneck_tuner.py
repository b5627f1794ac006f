"""Bottleneck adapters as a tuner of PEFT: saved, loaded, stacked by name and switched off as its own are.

PEFT has no public way to add a type, so `_register` reaches into its enumeration, in this one place;
tests/tasks/methods/test_methods.py fails where a new PEFT takes it amiss. Import this module late, and before
an adapter of this type is loaded through PEFT.
"""

from dataclasses import dataclass
from typing import Any, ClassVar, cast

from peft import PeftConfig, PeftType
from peft.mapping import PEFT_TYPE_TO_CONFIG_MAPPING
from peft.tuners.tuners_utils import BaseTuner, BaseTunerLayer
from peft.utils import register_peft_method
from torch import Tensor, nn

from deploy.adapters.bottleneck import PEFT_TYPE, activation
from tasks.methods.parts.targets import sides

START = (
    1e-3  # spread of the down-projection at the start: near the identity (Houlsby et al. 2019, section 2.1)
)


def _register() -> Any:
    """A new member of PEFT's enumeration of types."""
    if PEFT_TYPE in PeftType.__members__:
        return PeftType[PEFT_TYPE]
    member = str.__new__(PeftType, PEFT_TYPE)
    member._name_, member._value_ = PEFT_TYPE, PEFT_TYPE
    PeftType._member_map_[PEFT_TYPE] = member
    PeftType._member_names_.append(PEFT_TYPE)
    PeftType._value2member_map_[PEFT_TYPE] = member
    type.__setattr__(PeftType, PEFT_TYPE, member)  # Python 3.12 looks for members there
    return member


BOTTLENECK = _register()


@dataclass
class BottleneckConfig(PeftConfig):
    """Width, nonlinearity and places of bottleneck adapters."""

    target_modules: list[str] | None = None
    width: int = 64
    activation: str = "gelu"
    scale: float = 1.0
    layers_to_transform: list[int] | None = None
    layers_pattern: str | None = None
    exclude_modules: list[str] | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        self.peft_type = BOTTLENECK


class BottleneckLayer(nn.Module, BaseTunerLayer):
    """A linear layer with adapters behind it: y + scale up(f(down(y)))."""

    adapter_layer_names = ("bottleneck_down", "bottleneck_up")
    other_param_names = ("activations", "scales")

    def __init__(self, base_layer: nn.Module, adapter_name: str, config: BottleneckConfig) -> None:
        super().__init__()
        self.base_layer = base_layer  # PEFT looks for it here
        self.bottleneck_down, self.bottleneck_up = nn.ModuleDict(), nn.ModuleDict()
        self.activations: dict[str, Any] = {}
        self.scales: dict[str, float] = {}
        self._disable_adapters = False
        self.merged_adapters: list[str] = []
        self.update_layer(adapter_name, config)

    def update_layer(self, adapter_name: str, config: BottleneckConfig, **_: Any) -> None:
        """Add the adapter called `adapter_name`; it starts as the identity."""
        weight, (width, _inputs) = self._linear.weight, sides(self._linear)
        down, up = nn.Linear(width, config.width), nn.Linear(config.width, width)
        nn.init.normal_(down.weight, std=START)
        for tensor in (down.bias, up.weight, up.bias):
            nn.init.zeros_(tensor)
        self.bottleneck_down[adapter_name] = down.to(weight.device)
        self.bottleneck_up[adapter_name] = up.to(weight.device)
        self.activations[adapter_name] = activation(config.activation)
        self.scales[adapter_name] = config.scale
        tuner = cast("Any", self)  # a module's attributes are tensors or modules, by their types
        tuner.set_adapter(tuner.active_adapters)

    def forward(self, x: Tensor, *arguments: Any, **named: Any) -> Tensor:
        """The base layer's output with what the active adapters add."""
        output: Tensor = self._linear(x, *arguments, **named)
        if self.disable_adapters:
            return output
        for name in cast("Any", self).active_adapters:
            if name in self.bottleneck_down:
                inner = self.activations[name](self.bottleneck_down[name](output.float()))
                output = output + (self.bottleneck_up[name](inner) * self.scales[name]).to(output.dtype)
        return output

    @property
    def _linear(self) -> Any:
        return cast("Any", self).get_base_layer()  # its return type is that of any module


class BottleneckModel(BaseTuner):
    """Puts bottleneck adapters behind the layers that the settings name."""

    prefix = "bottleneck_"
    tuner_layer_cls = BottleneckLayer
    target_module_mapping: ClassVar[dict[str, list[str]]] = {}

    def _create_and_replace(
        self,
        peft_config: BottleneckConfig,
        adapter_name: str,
        target: nn.Module,
        target_name: str,
        parent: nn.Module,
        current_key: str,  # noqa: ARG002  (PEFT calls with all of them)
        **_: Any,
    ) -> None:
        if isinstance(target, BottleneckLayer):
            target.update_layer(adapter_name, peft_config)
            return
        self._replace_module(parent, target_name, BottleneckLayer(target, adapter_name, peft_config), target)


if BOTTLENECK not in PEFT_TYPE_TO_CONFIG_MAPPING:
    register_peft_method(
        name=PEFT_TYPE.lower(),
        config_cls=BottleneckConfig,
        model_cls=BottleneckModel,
        prefix=BottleneckModel.prefix,
    )

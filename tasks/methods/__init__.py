"""The adaptation methods, one module each; `METHODS` is the only list of them.

A module holds the method's settings with the paper that they come from, `attach`, and what it cannot do.
What it writes is read by `deploy.adapters`, which serves it.
"""

from typing import TYPE_CHECKING, Literal, TypeAlias

from tasks.methods import (
    adapter,
    full,
    hybrid,
    lora,
    lora_pro,
    p_tuning_v1,
    p_tuning_v2,
    prefix,
    prompt,
    pruning,
    qlora,
    selective,
)
from tasks.methods.method import Method

METHODS: dict[str, Method] = {
    module.METHOD.name: module.METHOD
    for module in (
        full,
        selective,
        adapter,
        lora,
        qlora,
        prefix,
        prompt,
        p_tuning_v1,
        p_tuning_v2,
        pruning,
        lora_pro,
        hybrid,
    )
}

if TYPE_CHECKING:
    MethodName: TypeAlias = str
else:
    MethodName = Literal[tuple(METHODS)]  # what params.yaml may name

"""The names in an adapter's files: PEFT's own, and three kinds of adapters that PEFT does not know."""

CONFIG, WEIGHTS = "adapter_config.json", "adapter_model.safetensors"
KIND = "peft_type"
REPLACED, COMPOSED, FOUR_BITS = "REPLACED_WEIGHTS", "COMPOSED", "LORA_OVER_FOUR_BITS"
PREFIX = "base_model.model."  # what PEFT puts before the names of a model's modules
SLOT = "default"  # the name that PEFT gives the adapter of a model that has one; no file tells it


def on_disk(name: str) -> str:
    """The name in the file of the adapter's tensor that is called `name` in the model."""
    return PREFIX + name.replace(f".{SLOT}", "")


def in_model(name: str) -> str:
    """The name in the model of what is called `name` in the adapter's file: the way back of `on_disk`."""
    module, _, last = name.removeprefix(PREFIX).rpartition(".")
    return f"{module}.{SLOT}.{last}"

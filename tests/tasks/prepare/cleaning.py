"""Settings of cleaning for tests, each as params.yaml has it unless a test says otherwise."""

from typing import Any

from tasks.prepare.clean_settings import CleanSettings
from tasks.settings import load_settings
from tests.conftest import ROOT


def cleaning(**changed: Any) -> CleanSettings:
    """The section `clean` of params.yaml with other values; those of its sections are merged."""
    values = load_settings(ROOT / "params.yaml").clean.model_dump()
    for name, value in changed.items():
        values[name] = {**values[name], **value} if isinstance(value, dict) else value
    return CleanSettings.model_validate(values)

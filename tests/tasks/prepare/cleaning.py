"""Settings of `clean` for tests: those of params.yaml, but for what a test is about."""

from typing import Any

from tasks.prepare.clean_settings import CleanSettings
from tasks.settings import load_settings
from tests.conftest import ROOT


def cleaning(**changes: Any) -> CleanSettings:
    """The section `clean` of params.yaml with other values."""
    found = load_settings(ROOT / "params.yaml").clean.model_dump()
    return CleanSettings.model_validate(found | changes)

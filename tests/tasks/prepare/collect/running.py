"""The stage `collect` on a few sources, for tests."""

from functools import cache
from pathlib import Path

import pytest

from tasks.prepare.collect import collect
from tasks.prepare.collect_settings import CollectSettings
from tasks.settings import Settings
from tests.conftest import small_settings


def collected(folder: Path, settings: CollectSettings) -> None:
    """Collect from what lies in `sources` there; rows, dropped.parquet and report.json stand beside it."""
    given = _small()
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("THREEPLY_CACHE", str(folder / "cache"))
        collect(
            folder / "sources",
            raw=folder / "rows",
            dropped=folder / "dropped.parquet",
            evaluations=folder / "evaluations.parquet",
            report=folder / "report.json",
            run=given.run,
            settings=settings,
            split=given.split,
        )


@cache
def _small() -> Settings:
    """Read once: it takes longer than to collect."""
    return small_settings()

"""The small project that tests of the card look at; it is made once."""

import os
from pathlib import Path

import pytest

from tests.tasks.release.card.made import make


@pytest.fixture(scope="session")
def carded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project whose card is written."""
    root, before = tmp_path_factory.mktemp("carded"), Path.cwd()
    os.chdir(root)
    try:
        make(Path())
    finally:
        os.chdir(before)
    return root

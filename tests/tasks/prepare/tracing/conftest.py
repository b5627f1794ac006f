"""The chain that tests of tracing look at; it is run once."""

from pathlib import Path

import pytest

from tests.tasks.prepare.tracing.chain import run_chain, sources, write_sources


@pytest.fixture(scope="session")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project whose rows are split."""
    root = tmp_path_factory.mktemp("ran")
    write_sources(root)
    run_chain(root, sources(root))
    return root

"""The command `threeply` as a terminal shows it, for tests."""

import pytest

from flows.cli import main


def shown(capsys: pytest.CaptureFixture[str], *words: str, code: int = 0) -> str:
    """All that `threeply` prints for these words; it has to end with `code`."""
    assert main(words) == code
    said = capsys.readouterr()
    return said.out + said.err

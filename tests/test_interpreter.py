"""Protects the limit of long tests: a slow command may go on, and one that hangs is ended."""

import pytest

from tests.interpreter import speaking

SLOW = "import time\nfor number in range(4):\n    print(number, flush=True)\n    time.sleep(0.5)"


def test_a_command_may_take_longer_than_its_silence() -> None:
    assert speaking("-c", SLOW, silence=30).split() == ["0", "1", "2", "3"]


def test_one_that_hangs_is_ended_and_its_last_words_are_told() -> None:
    with pytest.raises(pytest.fail.Exception, match=r"nothing was said for 5 s, after:\nwaiting"):
        speaking("-c", "import time\nprint('waiting', flush=True)\ntime.sleep(3600)", silence=5)


def test_one_that_fails_shows_what_it_said_on_both_streams() -> None:
    with pytest.raises(AssertionError, match="not here"):
        speaking("-c", "raise SystemExit('not here')", silence=30)

"""Protects the command of the kills, and with it the reward model: killed, it ends as if it had not been."""

import json
import subprocess
import sys

from tests.conftest import ROOT


def test_a_killed_reward_model_ends_with_the_same_bytes() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.kills", "--kills", "1", "--stages", "reward"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    told = json.loads(done.stdout.splitlines()[-1])
    assert (told["kills"], told["equal"], told["stages"]) == (1, 1, {"reward": 1})

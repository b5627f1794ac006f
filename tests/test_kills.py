"""Protects the command of the kills, and with it the reward model: killed, it ends as if it had not been."""

import json

from tests.interpreter import python


def test_a_killed_reward_model_ends_with_the_same_bytes() -> None:
    done = python("-m", "tests.kills", "--kills", "1", "--stages", "reward")
    told = json.loads(done.stdout.splitlines()[-1])
    assert (told["kills"], told["equal"], told["stages"]) == (1, 1, {"reward": 1})

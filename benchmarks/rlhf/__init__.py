"""PPO of this project beside that of TRL 1.12.0: how many responses a second, and whether both learn."""

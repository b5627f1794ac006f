"""The memory of a training run, estimated before it starts, and a refusal of one that cannot fit."""

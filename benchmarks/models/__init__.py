"""The model families that people use, as tiny random models, and what of the chain each can do."""

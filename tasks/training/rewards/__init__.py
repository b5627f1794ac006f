"""The reward model: pairs of answers, their trainer, and what it must beat."""

"""The rows that walk through the chain, how they are written, counted and shown to a model."""

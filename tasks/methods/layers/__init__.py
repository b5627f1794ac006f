"""Layers that train faster than transformers' and PEFT's own, with the same numbers."""

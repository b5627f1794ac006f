"""Supervised fine-tuning, as the stages `sft`, `search` and `trial` do it."""

"""Chooses a small set of examples out of many: by difficulty, coverage or length, or at random."""

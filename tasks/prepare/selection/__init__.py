"""Chooses a small set of examples out of many: by difficulty, coverage or length, and at random as the control."""

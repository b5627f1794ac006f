"""Rows of a person taken out of what the stages keep, and the search for what is left of their words."""

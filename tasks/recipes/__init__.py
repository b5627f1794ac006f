"""Heads for labels of texts and pictures: the stages of recipes/dvc.yaml."""

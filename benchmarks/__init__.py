"""Measurements that a person starts: each prints a table, and one JSON object on its last line."""

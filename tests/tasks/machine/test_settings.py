"""Protects overlays: what is not named stays, and nothing is joined but mappings."""

from tasks.machine.settings import overlay


def test_an_overlay_changes_single_keys_and_replaces_lists_as_a_whole() -> None:
    merged = overlay({"a": {"x": 1, "y": [1, 2]}, "b": 3}, {"a": {"y": [9]}})
    assert merged == {"a": {"x": 1, "y": [9]}, "b": 3}


def test_an_empty_mapping_empties_what_was_there() -> None:
    assert overlay({"a": {"x": 1}, "b": 3}, {"a": {}}) == {"a": {}, "b": 3}

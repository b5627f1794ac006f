"""Protects the reading of adapters: no part of one lies outside its folder."""

import json
from pathlib import Path

import pytest

from deploy.adapters.names import CONFIG
from deploy.adapters.reading import adapter_files
from deploy.errors import EngineError


@pytest.mark.parametrize("part", [".", "..", "../other", "/models/other", "", "a/b", 7])
def test_a_part_lies_right_in_the_folder_of_its_adapter(tmp_path: Path, part: object) -> None:
    """`.` would be read for ever, for it holds itself."""
    (tmp_path / CONFIG).write_text(json.dumps({"parts": [part]}), encoding="utf-8")
    with pytest.raises(EngineError, match="which is no folder in"):
        adapter_files(tmp_path)

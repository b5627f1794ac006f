"""Protects the README's tables: generated between markers, and never lost."""

import pytest

from benchmarks.pages import between
from tasks.errors import SourceError
from tasks.stages import STAGES
from tests.conftest import ROOT

README = ROOT / "README.md"


def test_content_is_replaced_and_the_rest_stays() -> None:
    text = "a\n<!-- x -->\nold\n<!-- /x -->\nb\n"
    assert between(text, "x", "new\n") == "a\n<!-- x -->\nnew\n<!-- /x -->\nb\n"
    assert between(between(text, "x", "new\n"), "x", "new\n") == between(text, "x", "new\n")


def test_missing_markers_are_told() -> None:
    with pytest.raises(SourceError, match="<!-- x -->"):
        between("nothing", "x", "new")


def test_readme_has_the_markers_and_names_every_stage() -> None:
    text = README.read_text(encoding="utf-8")
    for name in ("ledger", "stages", "seeds"):
        assert between(text, name, "") != text or f"<!-- {name} -->\n<!-- /{name} -->" in text
    head = text.split("## Use your own data")[0]
    assert [stage for stage in STAGES if f"`{stage}`" not in head] == []

"""Protects the account of an installed package: what is left out of its documentation is named, with why."""

from pathlib import Path

import pytest

from tasks.collect.callables import public_callables

MODULE = '''
"""A package with parts that cannot be read."""

__all__ = ["Box", "bare", "old"]


class Fragile:
    """Refuses to be read from its class."""

    def __get__(self, instance, owner=None):
        raise RuntimeError("only on instances")


class Box:
    """Hold numbers."""

    fragile = Fragile()

    def total(self):
        """Return their sum."""


def bare(a=1):
    pass


def old(a=1):
    """Do something.

    .. deprecated:: 1.0
    """
'''


def test_what_is_left_out_is_named_with_its_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "leakypackage"
    folder.mkdir()
    (folder / "__init__.py").write_text(MODULE)
    (folder / "optional.py").write_text("import a_module_that_nobody_has\n")
    monkeypatch.syspath_prepend(str(tmp_path))

    read = public_callables("leakypackage")

    assert [entry.name for entry in read.documented] == ["leakypackage.Box", "leakypackage.Box.total"]
    assert read.left_out == {
        "a module that cannot be imported": ("leakypackage.optional",),
        "an attribute that cannot be read": ("leakypackage.Box.fragile",),
        "deprecated": ("leakypackage.old",),
        "no documentation": ("leakypackage.bare",),
    }

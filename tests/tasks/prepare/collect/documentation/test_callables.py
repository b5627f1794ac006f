"""Protects the account of an installed package: what is left out of its documentation is named, with why."""

from pathlib import Path

import pytest

from tasks.errors import SourceError
from tasks.prepare.collect.documentation.callables import public_callables

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


def test_a_part_of_a_package_is_read_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "partedpackage"
    (folder / "inner").mkdir(parents=True)
    (folder / "__init__.py").write_text(MODULE)
    (folder / "inner" / "__init__.py").write_text(MODULE)
    monkeypatch.syspath_prepend(str(tmp_path))

    read = public_callables("partedpackage.inner")

    assert [entry.name for entry in read.documented] == [
        "partedpackage.inner.Box",
        "partedpackage.inner.Box.total",
    ]


@pytest.mark.parametrize(
    "ending", ["raise SystemExit(3)", "import pytest; pytest.skip(allow_module_level=True)"]
)
def test_a_module_that_ends_its_own_import_does_not_end_the_stage(
    ending: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = f"endingpackage{len(ending)}"
    (tmp_path / name).mkdir()
    (tmp_path / name / "__init__.py").write_text(MODULE)
    (tmp_path / name / "script.py").write_text(ending)
    monkeypatch.syspath_prepend(str(tmp_path))

    assert public_callables(name).left_out["a module that cannot be imported"] == (f"{name}.script",)


def test_a_package_without_the_part_asked_for_is_told() -> None:
    with pytest.raises(SourceError, match=r"'json\.nothing' cannot be imported"):
        public_callables("json.nothing")

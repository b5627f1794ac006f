"""Protects kept parts from what they follow from beside their source: other code, and other packages."""

import os
from pathlib import Path

import pytest

from tasks.prepare.collect import versions
from tasks.prepare.collect.versions import code_version, packages_version


def test_other_code_is_another_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "code").mkdir()
    path = tmp_path / "code/reader.py"
    path.write_text("a = 1")
    monkeypatch.setattr(versions, "_ROOT", tmp_path)
    monkeypatch.setattr(versions, "_CODE", ("code",))
    monkeypatch.setattr(versions, "_FILES", ())
    first = code_version()
    assert code_version() == first
    path.write_text("a = 2")
    assert code_version() != first


@pytest.mark.parametrize("name", ["worked_on/__init__.py", "worked_on.py"])
def test_a_package_that_is_worked_on_is_another_one_with_each_change(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    path.write_text("")
    monkeypatch.syspath_prepend(tmp_path)
    first = packages_version(["worked_on.part"])
    assert packages_version(["worked_on.part"]) == first
    os.utime(path, (1, 1))
    assert packages_version(["worked_on.part"]) != first


def test_a_package_that_is_not_there_is_left_to_its_source() -> None:
    assert packages_version(["no_such_package"])

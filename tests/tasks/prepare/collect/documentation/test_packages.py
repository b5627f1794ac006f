"""Protects the default source: which callables it finds, what it holds out, the same rows in every run."""

from collections import Counter
from pathlib import Path

import pytest

from tasks.errors import SourceError
from tasks.prepare.collect.documentation.packages import read_packages
from tasks.rows.tables import write_rows
from tests.tasks.prepare.collect.documentation.packages import source

MODULE = '''
"""A module."""

__all__ = ["Box", "alias", "hidden_value", "old", "scale"]


def scale(values, factor=2.5, *, mode="linear", clip=None, limit=10):
    """Multiply all values by a constant number.

    Parameters
    ----------
    values : list of float
        The numbers to be multiplied.
    factor : float, default=2.5
        The constant that each number is multiplied by. More words.
    mode : {"linear", "log"}
        How the numbers are spaced.
    clip : tuple
        The smallest and the largest result.
    limit : int
        How many numbers are allowed.

    Returns
    -------
    list of float
        The products.
    """


alias = scale


def old(a=1):
    """Do something.

    .. deprecated:: 1.0
    """


def hidden_value(handler=len, sentinel=object(), shift=-1):
    """Keep what cannot be written down out of the questions.

    Parameters
    ----------
    handler : callable
        Called for each of the numbers.
    sentinel : object
        A marker that has no readable text.
    shift : int
        Added to each of the numbers.
    """


class Box:
    """Hold numbers together in one place.

    Parameters
    ----------
    size : int
        How many numbers fit in.
    """

    def __init__(self, size=7):
        pass

    def put(self, value, *, strict=True):
        """Add one number at the end.

        Parameters
        ----------
        value : float
            The number to be added.
        strict : bool
            Whether a full box is an error.
        """
'''


@pytest.fixture
def small_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """An importable package `smallnum` of a distribution `small-num`, with private and deprecated parts."""
    folder = tmp_path / "site" / "smallnum"
    folder.mkdir(parents=True)
    (folder / "__init__.py").write_text(MODULE)
    (folder / "_private.py").write_text("raise RuntimeError('never imported')")
    (folder / "broken.py").write_text("raise ImportError('an optional part')")
    info = tmp_path / "site" / "small_num-1.2.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: small-num\nVersion: 1.2\n")
    (info / "top_level.txt").write_text("smallnum\n")
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    return "smallnum"


def test_each_callable_is_one_document_under_its_best_name(small_package: str) -> None:
    documents = read_packages(source(small_package), seed=1).rows.documents
    assert [document.title for document in documents] == [
        "smallnum.Box",
        "smallnum.Box.put",
        "smallnum.hidden_value",
        "smallnum.scale",
    ]
    scale = documents[-1]
    assert scale.uri == "py:smallnum.scale@1.2"
    assert scale.metadata["aliases"] == "smallnum.alias"
    assert scale.text.split("\n\n")[:4] == [
        "smallnum.scale(values, factor, mode, clip, limit)",
        "Multiply all values by a constant number.",
        "values : list of float\nThe numbers to be multiplied.",
        "factor=2.5 : float\nThe constant that each number is multiplied by. More words.",
    ]


def test_defaults_that_cannot_be_written_are_not_asked(small_package: str) -> None:
    rows = read_packages(source(small_package, max_facts=200, unanswerable=0.0), seed=1).rows
    text = next(d.text for d in rows.documents if d.title == "smallnum.hidden_value")
    assert "handler=len :" in text
    assert "sentinel : object" in text
    asked = [e.quote for e in rows.examples if e.task == "default"]
    assert not [quote for quote in asked if quote.startswith("sentinel")]


def test_a_package_that_is_not_installed_is_named() -> None:
    with pytest.raises(SourceError, match="'no_such_package' is not installed"):
        read_packages(source("no_such_package"), seed=1)


def test_two_runs_write_the_same_bytes(small_package: str, tmp_path: Path) -> None:
    for name in ("one", "two"):
        write_rows(tmp_path / name, read_packages(source(small_package), seed=3).rows)
    for file in ("examples", "preferences", "documents"):
        one, two = (tmp_path / name / f"{file}.parquet" for name in ("one", "two"))
        assert one.read_bytes() == two.read_bytes()


def test_a_held_out_package_is_asked_about_in_unseen_wordings_alone(small_package: str) -> None:
    found = read_packages(source("numpy", max_facts=200, held_out=["numpy"]), seed=5).rows.examples
    assert {e.held_out for e in found if e.task not in ("talk", "off_topic")} == {"unseen package"}
    open_to_all = read_packages(source("numpy", max_facts=2000), seed=5).rows.examples
    shares = Counter(e.held_out for e in open_to_all)
    assert set(shares) == {"", "unseen wording", "validation"}
    assert 0.14 < shares["unseen wording"] / shares.total() < 0.26
    assert 0.06 < shares["validation"] / shares.total() < 0.15
    with pytest.raises(ValueError, match="held_out names scipy"):
        source(small_package, held_out=["scipy"])

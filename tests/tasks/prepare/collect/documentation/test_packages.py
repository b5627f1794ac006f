"""Protects the default source: what it asks is true, checkable, balanced and the same in every run."""

import inspect
from collections import Counter
from pathlib import Path

import pytest

from deploy.abstention import ABSTENTION
from tasks.errors import SourceError
from tasks.prepare.collect.documentation.packages import read_packages
from tasks.prepare.collect.identifiers import Collected
from tasks.prepare.settings import PackagesSource, QuestionKinds
from tasks.rows.records import Example
from tasks.rows.tables import write_rows

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


def hidden_value(handler=print, sentinel=object(), shift=-1):
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


def source(package: str, *, max_facts: int = 30, unanswerable: float = 0.25) -> PackagesSource:
    return PackagesSource(
        kind="packages",
        packages=[package],
        max_facts=max_facts,
        kinds=QuestionKinds(default=9.0, purpose=3.0, lookup=2.0),
        unanswerable=unanswerable,
        max_same_default=0.1,
        preferences=12,
    )


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
    assert "handler=print :" in text
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


@pytest.fixture(scope="module")
def numpy_rows() -> Collected:
    return read_packages(source("numpy", max_facts=900, unanswerable=0.3), seed=5)


def test_the_share_of_unanswerable_questions_is_exact(numpy_rows: Collected) -> None:
    examples = numpy_rows.rows.examples
    unanswerable = [e for e in examples if not e.answerable]
    assert len(examples) == 900
    assert len(unanswerable) == 270
    assert Counter(e.task for e in unanswerable) == {"absent": 135, "withheld": 135}
    assert all(e.answer == ABSTENTION and not e.evidence for e in unanswerable)
    assert all(len(e.withheld) == (e.task == "withheld") for e in examples)


def test_no_default_is_asked_for_too_often(numpy_rows: Collected) -> None:
    answers = Counter(e.answer for e in numpy_rows.rows.examples if e.task == "default")
    assert max(answers.values()) <= 0.1 * answers.total()


def test_every_quote_stands_once_in_its_document_and_beside_the_answer(numpy_rows: Collected) -> None:
    texts = {document.id: document.text for document in numpy_rows.rows.documents}
    for example in numpy_rows.rows.examples:
        if example.task in ("default", "purpose"):
            (document,) = example.evidence
            assert texts[document].count(example.quote) == 1
            paragraph = next(p for p in texts[document].split("\n\n") if example.quote in p)
            assert example.answer.strip("`") in paragraph


def test_answers_are_what_the_code_says(numpy_rows: Collected) -> None:
    import numpy as np

    assert repr(inspect.signature(np.linspace).parameters["num"].default) == "50"
    text = next(d.text for d in numpy_rows.rows.documents if d.title == "numpy.linspace")
    assert "num=50 : int" in text


def test_absent_parameters_are_nowhere_in_the_callable(numpy_rows: Collected) -> None:
    texts = {document.title: document.text for document in numpy_rows.rows.documents}
    for example in numpy_rows.rows.examples:
        if example.task == "absent":
            name, parameter = _named(example, texts)
            assert parameter not in texts[name].split("\n\n")[0].replace(",", " ").split()
            assert f"{parameter} :" not in texts[name]


def test_no_question_is_asked_twice(numpy_rows: Collected) -> None:
    asked = Counter(example.prompt for example in numpy_rows.rows.examples)
    assert max(asked.values()) == 1


def test_twins_share_a_group(numpy_rows: Collected) -> None:
    groups = {}
    for example in numpy_rows.rows.examples:
        groups.setdefault(example.group, set()).add(example.prompt[0].content)
    assert len(groups) < len({d.title for d in numpy_rows.rows.documents})


def test_preferences_do_not_give_themselves_away(numpy_rows: Collected) -> None:
    pairs = read_packages(source("numpy", max_facts=900, unanswerable=0.3), seed=6).rows.preferences
    longer = sum((len(p.chosen) > len(p.rejected)) + 0.5 * (len(p.chosen) == len(p.rejected)) for p in pairs)
    assert len(pairs) == 12
    assert all(p.label == "synthetic" and p.chosen != p.rejected for p in pairs)
    assert Counter(p.flaw for p in pairs)["false_abstention"] == Counter(p.flaw for p in pairs)["invented"]
    assert 0.2 <= longer / len(pairs) <= 0.8
    groups = {e.prompt: e.group for e in numpy_rows.rows.examples}
    assert all(groups[p.prompt] == p.group for p in numpy_rows.rows.preferences)


def _named(example: Example, texts: dict[str, str]) -> tuple[str, str]:
    """The callable and the parameter between the backticks of a question."""
    words = example.prompt[0].content.split("`")[1::2]
    name = next(word for word in words if word in texts)
    return name, next(word for word in words if word != name)

"""Protects the default source: what it asks is true, checkable, balanced and the same in every run."""

import inspect
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from deploy.abstention import ABSTENTION
from tasks.errors import SourceError
from tasks.prepare.collect.documentation.packages import read_packages
from tasks.prepare.collect.identifiers import Collected
from tasks.prepare.collect_settings import PackagesSource, QuestionKinds
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


def source(
    package: str, *, max_facts: int = 30, unanswerable: float = 0.25, **changed: Any
) -> PackagesSource:
    values: dict[str, Any] = {"held_out": [], **changed}
    return PackagesSource(
        kind="packages",
        packages=[package],
        max_facts=max_facts,
        kinds=QuestionKinds(
            default=6.0, confirm=1.5, exists=1.0, purpose=3.0, none=1.0, lookup=2.0, compare=1.0, which=1.0
        ),
        follow_ups=0.2,
        talk=0.03,
        off_topic=0.03,
        unanswerable=unanswerable,
        max_same_default=0.1,
        preferences=12,
        **values,
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
    examples = [e for e in numpy_rows.rows.examples if e.task not in ("talk", "off_topic")]
    unanswerable = [e for e in examples if not e.answerable]
    assert len(examples) == 900
    assert len(unanswerable) == 270
    assert Counter(e.task for e in unanswerable) == {"absent": 135, "withheld": 135}
    assert all(e.answer == ABSTENTION and not e.evidence for e in unanswerable)
    assert all(len(e.withheld) == (e.task == "withheld") for e in examples)


def test_no_default_is_asked_for_too_often(numpy_rows: Collected) -> None:
    answers = Counter(e.answer for e in numpy_rows.rows.examples if e.task == "default")
    assert answers.total() > 200
    assert max(answers.values()) <= 0.1 * answers.total()


def test_every_quote_stands_once_in_its_document_and_beside_the_answer(numpy_rows: Collected) -> None:
    texts = {document.id: document.text for document in numpy_rows.rows.documents}
    for example in numpy_rows.rows.examples:
        if example.task in ("default", "purpose"):
            (document,) = example.evidence
            assert texts[document].count(example.quote) == 1
            paragraph = next(p for p in texts[document].split("\n\n") if example.quote in p)
            assert example.answer.strip("`") in paragraph


def test_a_comparison_takes_the_documents_of_both(numpy_rows: Collected) -> None:
    texts = {document.id: document.text for document in numpy_rows.rows.documents}
    compared = [e for e in numpy_rows.rows.examples if e.task == "compare"]
    assert len(compared) > 20
    for example in compared:
        assert example.takes_all
        assert len(set(example.evidence)) == 2
        stated = example.answer.split("`")[1::2]
        for document, value in zip(example.evidence, stated, strict=True):
            assert f"{example.quote}{value} :" in texts[document]
        assert example.answer.endswith(": the same." if len(set(stated)) == 1 else ": they differ.")


def test_of_three_callables_one_has_the_parameter(numpy_rows: Collected) -> None:
    titles = {document.title: document.text for document in numpy_rows.rows.documents}
    asked = [e for e in numpy_rows.rows.examples if e.task == "which"]
    assert len(asked) > 20
    first = Counter(
        example.prompt[0].content.find(example.answer.strip("`").split(".")[-1]) for example in asked
    )
    assert len(first) > 5  # the right one is not always named first
    for example in asked:
        assert example.quote in titles[example.answer.strip("`")]


def test_a_confirmation_is_right_about_the_value(numpy_rows: Collected) -> None:
    confirmed = [e for e in numpy_rows.rows.examples if e.task == "confirm"]
    verdicts = Counter(example.answer.split(", so ")[1] for example in confirmed)
    assert set(verdicts) == {"yes.", "no."}
    for example in confirmed:
        value = example.answer.split("`")[1]
        named = value in example.prompt[-1].content
        assert named or example.answer.endswith("no.") or value == "True"


def test_follow_ups_need_the_turn_before(numpy_rows: Collected) -> None:
    follow_ups = [e for e in numpy_rows.rows.examples if len(e.prompt) > 1]
    assert len(follow_ups) >= 60
    assert {len(e.prompt) for e in follow_ups} == {3}
    assert {e.answerable for e in follow_ups} == {True, False}
    assert all(e.prompt[1].role == "assistant" and e.prompt[1].content.endswith(" [1]") for e in follow_ups)


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


def test_answers_are_what_the_code_says(numpy_rows: Collected) -> None:
    import numpy as np

    assert repr(inspect.signature(np.linspace).parameters["num"].default) == "50"
    text = next(d.text for d in numpy_rows.rows.documents if d.title == "numpy.linspace")
    assert "num=50 : int" in text


def test_absent_parameters_are_nowhere_in_the_callable(numpy_rows: Collected) -> None:
    texts = {document.title: document.text for document in numpy_rows.rows.documents}
    checked = 0
    for example in numpy_rows.rows.examples:
        named = _named(example, texts) if example.task == "absent" else None
        if named is not None:
            name, parameter = named
            assert parameter not in texts[name].split("\n\n")[0].replace(",", " ").split()
            assert f"{parameter} :" not in texts[name]
            checked += 1
    assert checked >= 3


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


def _named(example: Example, texts: dict[str, str]) -> tuple[str, str] | None:
    """The callable and the parameter of a question that has both in backticks, by its whole name."""
    words = example.prompt[-1].content.split("`")[1::2]
    name = next((word for word in words if word in texts), None)
    parameter = next((word for word in words if word != name), None)
    return (name, parameter) if name and parameter and len(words) == 2 else None

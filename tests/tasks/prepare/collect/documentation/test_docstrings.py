"""Protects the reading of docstrings: what stands in a document is what the library says, without markup."""

import pytest

from tasks.prepare.collect.documentation.docstrings import first_sentence, parse_docstring, plain

NUMPY = """
linspace(start, stop, num=50)

Return evenly spaced numbers
over a specified interval.

.. versionchanged:: 1.20.0
    Values are rounded.

Parameters
----------
start, stop : array_like
    The ends of the ``sequence``.

    .. versionadded:: 1.16
        Arrays are allowed.
num : int, optional
    Number of samples, see :func:`~numpy.arange`. Must be non-negative.
*args
    More.

Returns
-------
samples : ndarray
    There are `num` samples [1]_.
float
    The step.

See Also
--------
arange : not a parameter
"""


def test_numpy_style_is_read_in_parts() -> None:
    doc = parse_docstring(NUMPY)
    assert doc.signature == "linspace(start, stop, num=50)"
    assert doc.summary == "Return evenly spaced numbers over a specified interval."
    assert [(field.name, field.type) for field in doc.parameters] == [
        ("start", "array_like"),
        ("stop", "array_like"),
        ("num", "int"),
        ("*args", ""),
    ]
    assert doc.parameters[0].description == "The ends of the `sequence`."
    assert doc.parameters[2].description == "Number of samples, see `arange`. Must be non-negative."
    assert [(field.name, field.type) for field in doc.returns] == [("samples", "ndarray"), ("", "float")]
    assert doc.returns[0].description == "There are `num` samples."


def test_types_over_several_lines_and_without_blank_are_read() -> None:
    doc = parse_docstring(
        "Merge.\n\nParameters\n----------\n"
        "how : {'left', 'right'},\n    default 'inner'\n    Type of merge.\n"
        "kernel : {'linear',\n    'rbf'} or callable, \\\n    default='rbf'\n    The kernel.\n"
        "axis: int, default=0\n    The axis.\n"
    )
    assert [(f.name, f.type, f.description) for f in doc.parameters] == [
        ("how", "{'left', 'right'}", "Type of merge."),
        ("kernel", "{'linear', 'rbf'} or callable", "The kernel."),
        ("axis", "int", "The axis."),
    ]


def test_deprecation_is_seen() -> None:
    assert parse_docstring("Old.\n\n.. deprecated:: 1.2\n    Use new.\n").deprecated


@pytest.mark.parametrize(
    "text", ["", "---", "Parameters\n----------\n", "Parameters\n----------\n   :\n\n\n"]
)
def test_broken_docstrings_give_empty_parts(text: str) -> None:
    assert parse_docstring(text).parameters == ()


@pytest.mark.parametrize(
    ("marked", "said"),
    [
        ("Use :class:`~sklearn.svm.LinearSVC` instead.", "Use `LinearSVC` instead."),
        ("See the :ref:`User Guide <svm>`.", "See the `User Guide`."),
        ("As `NumPy <https://numpy.org>`_ does.", "As NumPy does."),
        ("Good. For a picture, see :ref:`sphx_glr_plot_svm.py`. More.", "Good. More."),
    ],
)
def test_markup_is_taken_out(marked: str, said: str) -> None:
    assert plain(marked) == said


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("The axis. By default 0.", "The axis."),
        ("An array, e.g. a list. More.", "An array, e.g. a list."),
        ("A value of 0.5 is usual. More.", "A value of 0.5 is usual."),
        ("no end", "no end"),
    ],
)
def test_the_first_sentence_ends_where_it_ends(text: str, sentence: str) -> None:
    assert first_sentence(text) == sentence

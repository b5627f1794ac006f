"""Protects the agreement of people: alpha and kappa as published, and only where labels can be compared."""

from dataclasses import replace

import pytest

from tasks.release.card.agreement import agreements, alpha
from tasks.rows.records import Example, Preference
from tests.tasks.rows.made import pair, question, rows

# Krippendorff (2011), Computing Krippendorff's Alpha-Reliability, C: four observers, twelve units.
PUBLISHED = [
    "1 2 3 3 2 1 4 1 2 . . .",
    "1 2 3 3 2 2 4 1 2 5 . 3",
    ". 3 3 3 2 3 4 2 2 5 1 .",
    "1 2 3 3 2 4 4 1 2 5 1 .",
]


def test_alpha_is_that_of_the_published_example() -> None:
    units = [
        [label for label in unit if label != "."] for unit in zip(*map(str.split, PUBLISHED), strict=True)
    ]
    assert alpha(units) == pytest.approx(0.743, abs=0.0005)


def test_alpha_of_one_label_or_of_nobody_is_unknown() -> None:
    assert alpha([["a", "a"], ["a", "a"]]) is None
    assert alpha([["a"]]) is None
    assert alpha([["a", "b"], ["b", "a"], ["a", "b"]]) == pytest.approx(-2 / 3, abs=0.01)


def labelled(number: int, who: str, label: str) -> Example:
    return question(f"{number}{who}", f"What is text {number}?", label, metadata={"annotator": who})


def test_labels_of_the_same_text_are_compared() -> None:
    said = {"ada": "xyxyxyxyxy", "bob": "xyxyxyxyyx", "cy": "xyxyxy"}
    found = [labelled(n, who, label) for who, labels in said.items() for n, label in enumerate(labels)]
    (told,) = agreements(rows(*found), "annotator", fewest=7)
    assert (told["people"], told["judged"], told["judged_by_several"]) == (3, 10, 10)
    assert told["agreement"] == round(20 / 22, 4)
    (kappa,) = told["kappas"]  # cy has judged too few
    assert (kappa["people"], kappa["judged"]) == (["ada", "bob"], 10)
    assert kappa["kappa"] == pytest.approx(0.6)
    assert set(told["by_person"]) == {"ada", "bob", "cy"}


def test_pairs_are_compared_whichever_answer_stands_first() -> None:
    def judged(number: int, who: str, better: str, worse: str) -> Preference:
        prompt = question("q", f"Question {number}?").prompt
        row = pair(f"{number}{who}", better, worse)
        return replace(row, prompt=prompt, metadata={"annotator": who})

    same = [judged(n, who, "yes", "no") for n in range(5) for who in ("ada", "bob")]
    torn = [judged(9, "ada", "yes", "no"), judged(9, "bob", "no", "yes")]
    (told,) = agreements(rows(pairs=[*same, *torn]), "annotator", fewest=1)
    assert told["agreement"] == round(5 / 6, 4)
    assert told["kind"] == "preference"


def test_free_texts_and_rows_of_one_person_are_no_labels() -> None:
    free = [labelled(n, who, f"{who} says {n} at length") for n in range(9) for who in ("ada", "bob")]
    assert agreements(rows(*free), "annotator", fewest=1) == []
    assert agreements(rows(*(labelled(n, "ada", "x") for n in range(9))), "annotator", fewest=1) == []
    assert agreements(rows(question("a")), "annotator", fewest=1) == []

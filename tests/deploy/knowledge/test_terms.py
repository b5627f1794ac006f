"""Protects what BM25 can find: names by any of their endings, single letters, and definitions."""

import pytest

from deploy.knowledge.definitions import defined_names, starts_with_definition
from deploy.knowledge.terms import chunk_terms, query_terms, terms


def test_a_dotted_name_is_found_by_itself_its_endings_and_its_parts() -> None:
    assert terms("sklearn.svm.SVC") == ["sklearn.svm.svc", "sklearn", "svm.svc", "svm", "svc"]


def test_a_name_of_thousands_of_parts_gives_no_text_of_quadratic_length() -> None:
    found = terms("a." * 4_000 + "b")
    assert {"a", "b", "a.b", ".".join("a" * 11 + "b")} <= set(found)
    assert sum(map(len, found)) < 8_000


def test_names_give_their_words_but_not_their_single_letters() -> None:
    assert terms("RandomForest n_jobs") == ["randomforest", "random", "forest", "n_jobs", "jobs"]
    assert terms("HTTPServer") == ["httpserver", "http", "server"]


def test_single_letters_and_common_words_count() -> None:
    assert terms("C, by=a") == ["c", "by", "a"]


def test_punctuation_has_no_terms() -> None:
    assert terms(" .. `` --- ") == []


@pytest.mark.parametrize(
    ("line", "names"),
    [
        ("C=1.0 : float", ["C"]),
        ("x, y : array", ["x", "y"]),
        ("**kwargs : dict", ["kwargs"]),
        ("sep=', ' : str", ["sep"]),
        ("data : ", ["data"]),
        ("Note: this is prose", []),
        ("the ratio a : b", []),
    ],
)
def test_definitions_are_read(line: str, names: list[str]) -> None:
    assert defined_names(f"words\n{line}") == names
    assert starts_with_definition(line) == bool(names)


KNOWN = {"c :", "how :", "sample_weight", "sample_weight :", "randomforestclassifier", "todo"}


def test_a_definition_answers_a_name_and_one_in_backticks_twice() -> None:
    assert "c :" in chunk_terms("C=1.0 : float", title="svm.SVC")
    assert query_terms("the default of `C`?", KNOWN).count("c :") == 2
    assert query_terms("the default of C?", KNOWN).count("c :") == 1
    assert "c :" not in query_terms("the default of C?", set())


def test_words_that_build_questions_are_parameters_only_in_backticks() -> None:
    assert "how :" not in query_terms("how is it set?", KNOWN)
    assert query_terms("what is `how`?", KNOWN).count("how :") == 2


def test_words_beside_each_other_are_tried_as_one_name() -> None:
    found = query_terms("the sample weight of the Random Forest classifier", KNOWN)
    assert {"sample_weight", "sample_weight :", "randomforestclassifier"} <= set(found)
    assert "todo" not in query_terms("what to do", KNOWN)


def test_the_title_counts_twice() -> None:
    assert chunk_terms("svm\nwords", title="svm").count("svm") == 2

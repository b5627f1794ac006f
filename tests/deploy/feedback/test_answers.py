"""Protects what a server remembers of its answers: only the last ones, and each for who was given it."""

from deploy.feedback.answers import RecentAnswers
from tests.deploy.feedback.made import given


def test_an_answer_is_known_to_who_was_given_it_and_to_nobody_else() -> None:
    recent = RecentAnswers()
    recent.add(given("chatcmpl-1"), "anna")
    assert recent.of("chatcmpl-1", "anna") == given("chatcmpl-1")
    assert recent.of("chatcmpl-1", "ben") is None
    assert recent.of("chatcmpl-2", "anna") is None
    assert recent.of("chatcmpl-2", "") is None


def test_the_oldest_goes_where_there_are_too_many_or_too_long_ones() -> None:
    names = [f"chatcmpl-{number}" for number in range(4)]
    few = RecentAnswers(most=3)
    for name in names:
        few.add(given(name), "anna")
    assert [few.of(name, "anna") is not None for name in names] == [False, True, True, True]
    each = len("Why?") + len("Because [1].") + len("C=1.0 : float") + len("nu=0.5")
    short = RecentAnswers(characters=2 * each)
    for name in names:
        short.add(given(name), "anna")
    assert [short.of(name, "anna") is not None for name in names] == [False, False, True, True]
    short.add(given("long", "x" * 2 * each), "anna")  # longer than all of them may be
    assert [short.of(name, "anna") for name in (*names, "long")] == [None] * 5
    short.add(given(), "anna")
    assert short.of("chatcmpl-1", "anna") is not None


def test_passages_of_a_document_that_went_are_forgotten_and_their_room_is_free() -> None:
    recent = RecentAnswers(characters=60)
    recent.add(given("one"), "anna")
    recent.forget("a")
    found = recent.of("one", "anna")
    assert found is not None
    assert [source.text for source in found.sources] == ["", "nu=0.5"]
    recent.add(given("two"), "anna")
    assert recent.of("one", "anna") is not None


def test_passages_that_went_while_an_answer_was_given_are_not_remembered_after_it() -> None:
    recent = RecentAnswers()
    begun = recent.moment
    recent.forget("a")
    recent.add(given("one"), "anna", since=begun)
    recent.add(given("two"), "anna", since=recent.moment)  # the document of this name is a new one
    found = [recent.of(name, "anna") for name in ("one", "two")]
    texts = [[source.text for source in each.sources] for each in found if each]
    assert texts == [["", "nu=0.5"], ["C=1.0 : float", "nu=0.5"]]
    assert recent.gone(given("one"), begun) == ["a"]
    assert recent.gone(given("one"), recent.moment) == []

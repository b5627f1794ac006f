"""Protects what retrieval is told of a conversation: the question, and what was said right before it."""

from deploy.messages import Message, last_question, said_before


def test_what_was_said_before_is_the_turn_before_with_its_answer() -> None:
    system, first, answer = Message("system", "s"), Message("user", "a?"), Message("assistant", "b")
    assert said_before([system, first]) == ""
    assert said_before([]) == ""
    turns = [
        system,
        Message("user", "older"),
        Message("assistant", "old"),
        first,
        answer,
        Message("user", "c?"),
    ]
    assert said_before(turns) == "a?\nb"
    assert last_question(turns) == "c?"
    assert said_before([Message("assistant", "hello"), first]) == ""

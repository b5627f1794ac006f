"""Protects the words for a conversation that asks nothing: what is wrong, its value, and what to do."""

import pytest

from deploy.errors import QuestionError
from deploy.messages import Message
from deploy.prompts.question import question_of


@pytest.mark.parametrize(
    "question", ["Was ist das?", "C \u7684\u9ed8\u8ba4\u503c?", "\U0001f914", "x", "\u200bx", "a\u0000b"]
)
def test_any_text_may_be_asked(question: str) -> None:
    talk = [Message("system", ""), Message("user", "Hi"), Message("assistant", ""), Message("user", question)]
    assert question_of(talk) == question


def test_a_role_token_is_no_part_of_a_question() -> None:
    assert question_of([Message("user", "<|im_end|>Why?")]) == "Why?"


@pytest.mark.parametrize(
    ("talk", "message"),
    [
        ([], "the conversation is empty; send"),
        ([Message("system", "Be kind.")], "the last message is the system's, so nothing is asked; end"),
        ([Message("user", "Hi"), Message("assistant", "Hello")], "the last message is the assistant's"),
        ([Message("user", "")], "the question is empty: the last message is ''; write"),
        (
            [Message("user", " \n\t\u3000")],
            r"the question is empty: the last message is ' \\n\\t\\u3000'; write",
        ),
        ([Message("user", "\u200b\ufeff\x00")], "the question is empty"),
        ([Message("user", "<|im_<|im_end|>start|> ")], "the question is empty"),
        (
            [Message("system", "a \ud83e b"), Message("user", "Hi")],
            r"message 1 holds '\\ud83e', half of a char",
        ),
    ],
)
def test_what_asks_nothing_is_told(talk: list[Message], message: str) -> None:
    with pytest.raises(QuestionError, match=message):
        question_of(talk)

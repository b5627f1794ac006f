"""What a conversation asks; and what asks nothing, in words for those who sent it."""

import unicodedata
from collections.abc import Sequence

from deploy.errors import QuestionError
from deploy.messages import Message
from deploy.prompts.template import neutral

_UNSEEN = {"Cc", "Cf", "Zs", "Zl", "Zp"}  # blanks, line ends, and marks without a shape of their own


def question_of(conversation: Sequence[Message]) -> str:
    """The question that `conversation` ends with, as a prompt shows it: without role tokens.

    Raises:
        QuestionError: it does not end with a user's turn, that turn is empty, or a turn is not whole text.
    """
    if not conversation:
        raise QuestionError("the conversation is empty; send a message of the user's with the question")
    last = conversation[-1]
    if last.role != "user":
        raise QuestionError(
            f"the last message is the {last.role}'s, so nothing is asked; "
            "end the conversation with a message of the user's"
        )
    for number, message in enumerate(conversation, start=1):
        try:
            message.content.encode()
        except UnicodeEncodeError as error:
            half = message.content[error.start]
            raise QuestionError(
                f"message {number} holds {half!r}, half of a character, which no tokenizer can read; "
                "send the whole character, or leave it out"
            ) from None
    question = neutral(last.content)
    if all(unicodedata.category(character) in _UNSEEN for character in question):
        raise QuestionError(
            f"the question is empty: the last message is {last.content[:40]!r}; write what you want to know"
        )
    return question

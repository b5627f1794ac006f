"""One turn of a conversation, as every room of the house passes it on."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypedDict

Role = Literal["system", "user", "assistant"]


class MessageDict(TypedDict):
    """A message as chat templates and the OpenAI interface spell it."""

    role: Role
    content: str


@dataclass(frozen=True, slots=True)
class Message:
    """One turn: who speaks and what is said."""

    role: Role
    content: str


def as_dicts(messages: Sequence[Message]) -> list[MessageDict]:
    """The messages as plain dictionaries, in order."""
    return [{"role": message.role, "content": message.content} for message in messages]


def last_question(messages: Sequence[Message]) -> str:
    """The text of the last user turn: what retrieval searches for. Empty if there is none."""
    return next((m.content for m in reversed(messages) if m.role == "user"), "")


def said_before(messages: Sequence[Message]) -> str:
    """What was asked and answered right before the last user turn; empty if that is the first."""
    said = [message for message in messages if message.role != "system"]
    last = max((place for place, m in enumerate(said) if m.role == "user"), default=0)
    first = max((place for place, m in enumerate(said[:last]) if m.role == "user"), default=last)
    return "\n".join(message.content for message in said[first:last])

"""Values of a record as text, truth, turns or a whole prompt, in the spellings that are common."""

import re
from collections.abc import Mapping
from typing import Any

from deploy.messages import Message, Role

_ROLES: Mapping[str, Role] = {
    "system": "system",
    "user": "user",
    "human": "user",
    "assistant": "assistant",
    "gpt": "assistant",
}
_MARKED_TURN = re.compile(r"\n\n(Human|Assistant):")


class WrongShapeError(ValueError):
    """A record does not have the shape of its file; the message names the column."""

    reason = "wrong_shape"


class NothingPreferredError(WrongShapeError):
    """A record judges its answers to be equally good."""

    reason = "nothing_preferred"


def read_prompt(value: Any, column: str) -> list[Message]:
    """A prompt as turns: a list of messages, text with `Human:` and `Assistant:` marks, or plain text."""
    if isinstance(value, list):
        return read_turns(value, column)
    text = as_text(value, column)
    turns = read_transcript(text) or [Message("user", text)]
    return turns[:-1] if turns[-1] == Message("assistant", "") else turns


def read_transcript(text: str) -> list[Message]:
    """The turns of text in which `Human:` and `Assistant:` take turns; none of other text."""
    if not text.lstrip().startswith("Human:"):
        return []
    parts = _MARKED_TURN.split("\n\n" + text.lstrip())[1:]
    roles: Mapping[str, Role] = {"Human": "user", "Assistant": "assistant"}
    return [Message(roles[who], said.strip()) for who, said in zip(parts[::2], parts[1::2], strict=True)]


def read_turns(value: Any, column: str) -> list[Message]:
    """A list of messages, also with `from` and `value` for role and content.

    Raises:
        WrongShapeError: it is none.
    """
    if not isinstance(value, list) or not value:
        raise WrongShapeError(f"{column} is not a list of messages")
    turns: list[Message] = []
    for turn in value:
        if not isinstance(turn, dict):
            raise WrongShapeError(f"{column} holds a {type(turn).__name__}, not a message")
        role = str(turn.get("role", turn.get("from")))
        content = turn.get("content", turn.get("value"))
        if role not in _ROLES or not isinstance(content, str):
            raise WrongShapeError(f"{column}: a message has the role {role!r} or no text")
        turns.append(Message(_ROLES[role], content))
    return turns


def as_text(value: Any, column: str) -> str:
    """A value as text; nothing is empty text, which `clean` drops with that reason."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    raise WrongShapeError(f"{column} is a {type(value).__name__}, not text")


def read_truth(value: Any) -> bool:
    """A truth value, also where a CSV file spells it."""
    return value.strip().lower() in ("true", "1", "yes") if isinstance(value, str) else bool(value)

"""Reads a chat completion request."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from deploy.answer import Layers
from deploy.documents.wanted import ALL, Wanted
from deploy.engines.engine import Sampling
from deploy.errors import QuestionError
from deploy.messages import Message, Role
from deploy.prompts.question import question_of
from deploy.server import wishes
from deploy.server.faults import RequestError, as_fault
from deploy.server.formats import ResponseFormat, schema_of
from deploy.server.live import Served
from deploy.server.wishes import Wishes, read_wishes
from deploy.settings import ServeSettings

HARMLESS = {
    **wishes.HARMLESS,
    "tools": ([], None),
    "tool_choice": ("none", "auto", None),
    "store": (False, None),
    "service_tier": ("auto", "default", None),
}

_Nothing = Annotated[list[Any], Field(max_length=0)] | None


class TextPart(BaseModel, extra="forbid"):
    """A part of what a turn says."""

    type: Literal["text"]
    text: str


class Turn(BaseModel, extra="forbid"):
    """What was said by whom."""

    role: Literal["system", "developer", "user", "assistant"]
    content: str | list[TextPart]
    name: str | None = None
    # What clients send back of an answer of ours, as their `model_dump` writes it.
    refusal: None = None
    audio: None = None
    function_call: None = None
    annotations: _Nothing = None
    tool_calls: _Nothing = None


class ChatBody(Wishes):
    """A conversation to be continued, and how."""

    messages: list[Turn]
    max_completion_tokens: Annotated[int, Field(ge=1, le=4096)] | None = None
    logprobs: bool | None = None
    top_logprobs: Annotated[int, Field(ge=0, le=20)] | None = None
    response_format: ResponseFormat | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatRequest:
    """One question and how it is answered, checked; `choices` is how many answers it gets.

    For it the documents may be found that are `wanted`.
    """

    conversation: tuple[Message, ...]
    model: str
    layers: Layers
    sampling: Sampling
    choices: int
    stream: bool
    include_usage: bool
    wanted: Wanted = ALL


def read_request(body: bytes, *, settings: ServeSettings, served: Served) -> ChatRequest:
    """What the request asks; what it leaves open is as usual in `served`.

    Raises:
        RequestError: the body is not JSON, a field is wrong or not supported, there is no such model, or the
            messages ask nothing or too much.
    """
    asked = read_wishes(ChatBody, body, HARMLESS)
    model = known_model(asked.model or served.default_model, served)
    if len(asked.messages) > settings.max_messages:
        told = f"{len(asked.messages)} messages were sent; at most {settings.max_messages} are read"
        raise RequestError(400, told, "too_many_messages", "messages")
    if asked.top_logprobs and not asked.logprobs:
        told = "top_logprobs are told beside logprobs: send logprobs: true with it, or leave it out"
        raise RequestError(400, told, "invalid_value", "top_logprobs")
    return ChatRequest(
        conversation=_conversation(asked.messages, settings.max_message_characters),
        model=model,
        layers=asked.layers,
        sampling=asked.sampling(
            served.assistant.sampling,
            longest=asked.max_completion_tokens or asked.max_tokens,
            chances=(asked.top_logprobs or 0) if asked.logprobs else None,
            schema=schema_of(asked.response_format),
        ),
        choices=asked.n or 1,
        stream=bool(asked.stream),
        include_usage=asked.include_usage,
        wanted=asked.threeply.wanted,
    )


def known_model(name: str, served: Served) -> str:
    """`name`, if it is a model of what is served.

    Raises:
        RequestError: it is none, or none yet.
    """
    if name in served.models:
        return name
    told = f"no model is called {name!r}; there are: {', '.join(served.models)}"
    if served.partial:
        told += f" ({served.told})"
    raise RequestError(404, told, "model_not_found", "model")


def _conversation(turns: Sequence[Turn], longest: int) -> tuple[Message, ...]:
    """The messages, once it is sure that they ask something, and cost no long search in vain."""
    conversation = tuple(_message(turn) for turn in turns)
    try:
        question_of(conversation)
    except QuestionError as error:
        raise as_fault(error) from None
    for place, message in enumerate(conversation):
        if (length := len(message.content)) > longest:
            told = f"message {place + 1} has {length} characters; at most {longest} are read: shorten it"
            raise RequestError(400, told, "message_too_long", f"messages.{place}")
    return conversation


def _message(turn: Turn) -> Message:
    role: Role = "system" if turn.role == "developer" else turn.role
    if isinstance(turn.content, str):
        return Message(role, turn.content)
    return Message(role, "\n".join(part.text for part in turn.content))

"""Reads a chat completion request: what is honoured, what is harmless, and what is refused by name."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, ValidationError

from deploy.assistant import Layers
from deploy.engines.engine import Sampling
from deploy.errors import QuestionError
from deploy.messages import Message, Role
from deploy.prompts.question import question_of
from deploy.server.faults import RequestError, as_fault
from deploy.server.formats import ResponseFormat, schema_of
from deploy.server.live import Served
from deploy.settings import ServeSettings

# Fields that change nothing here at these values, as clients send them by default; others are refused,
# since an ignored wish looks like a fulfilled one.
HARMLESS: dict[str, tuple[Any, ...]] = {
    "n": (1, None),
    "frequency_penalty": (0, None),
    "presence_penalty": (0, None),
    "logit_bias": ({}, None),
    "logprobs": (False, None),
    "top_logprobs": (0, None),
    "tools": ([], None),
    "tool_choice": ("none", "auto", None),
    "store": (False, None),
    "service_tier": ("auto", "default", None),
}
ANNOTATIONS = ("user", "metadata", "safety_identifier")  # notes for the operator of a hosted service


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


class LayerSwitches(BaseModel, extra="forbid", strict=True):
    """Which layers are on."""

    prompt: bool = True
    retrieval: bool = True


class Extension(BaseModel, extra="forbid"):
    """What OpenAI's API has no field for."""

    layers: LayerSwitches = LayerSwitches()


class StreamOptions(BaseModel, extra="forbid"):
    """What a stream has besides."""

    include_usage: bool = False


class ChatBody(BaseModel, extra="forbid"):
    """A conversation to be continued, and how."""

    model: str | None = None
    messages: list[Turn]
    stream: bool | None = False
    stream_options: StreamOptions | None = None
    temperature: Annotated[float, Field(ge=0.0, le=2.0)] | None = None
    top_p: Annotated[float, Field(gt=0.0, le=1.0)] | None = None
    max_tokens: Annotated[int, Field(ge=1, le=4096)] | None = None
    max_completion_tokens: Annotated[int, Field(ge=1, le=4096)] | None = None
    seed: Annotated[int, Field(ge=-(2**63), lt=2**63)] | None = None
    stop: (
        Annotated[str, Field(min_length=1, max_length=64)]
        | Annotated[list[Annotated[str, Field(min_length=1, max_length=64)]], Field(max_length=4)]
        | None
    ) = None
    response_format: ResponseFormat | None = None
    threeply: Extension = Extension()


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatRequest:
    """What a request for a chat completion asks, checked."""

    conversation: tuple[Message, ...]
    model: str
    layers: Layers
    sampling: Sampling
    stream: bool
    include_usage: bool


def read_request(body: bytes, *, settings: ServeSettings, served: Served) -> ChatRequest:
    """What the request asks; what it leaves open is as usual in `served`.

    Raises:
        RequestError: the body is not JSON, a field is wrong or not supported, there is no such model, or the
            messages ask nothing or too much.
    """
    asked = _checked(_fields(body))
    model = known_model(asked.model or served.default_model, served)
    if len(asked.messages) > settings.max_messages:
        told = f"{len(asked.messages)} messages were sent; at most {settings.max_messages} are read"
        raise RequestError(400, told, "too_many_messages", "messages")
    layers = asked.threeply.layers
    return ChatRequest(
        conversation=_conversation(asked.messages, settings.max_message_characters),
        model=model,
        layers=Layers(prompt=layers.prompt, retrieval=layers.retrieval),
        sampling=_sampling(asked, served.assistant.sampling),
        stream=bool(asked.stream),
        include_usage=asked.stream_options is not None and asked.stream_options.include_usage,
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


def _fields(body: bytes) -> dict[str, Any]:
    """The request's fields, less those that change nothing."""
    try:
        fields = json.loads(body)
    except (ValueError, RecursionError):
        raise RequestError(400, "the body is not valid JSON", "invalid_json") from None
    if not isinstance(fields, dict):
        raise RequestError(400, "the body must be a JSON object", "invalid_json")
    for name in ("chat_template", "chat_template_kwargs"):
        if name in fields:
            raise RequestError(
                400, f"{name} is refused: templates come with the bundle only", "refused", name
            )
    for name, values in HARMLESS.items():
        if name in fields and fields.pop(name) not in values:
            raise RequestError(400, f"{name} is not supported here; leave it out", "unsupported", name)
    for name in ANNOTATIONS:
        fields.pop(name, None)
    return fields


def _checked(fields: dict[str, Any]) -> ChatBody:
    try:
        return ChatBody.model_validate(fields)
    except ValidationError as error:
        fault = error.errors()[0]
        name = ".".join(str(part) for part in fault["loc"])
        if fault["type"] == "extra_forbidden":
            raise RequestError(
                400, f"{name} is not supported here; leave it out", "unsupported", name
            ) from None
        raise RequestError(400, f"{name}: {fault['msg'].lower()}", "invalid_value", name) from None


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


def _sampling(asked: ChatBody, usual: Sampling) -> Sampling:
    longest = asked.max_completion_tokens or asked.max_tokens
    stop = [asked.stop] if isinstance(asked.stop, str) else asked.stop
    return Sampling(
        max_new_tokens=longest or usual.max_new_tokens,
        temperature=usual.temperature if asked.temperature is None else asked.temperature,
        top_p=usual.top_p if asked.top_p is None else asked.top_p,
        seed=asked.seed,
        stop=tuple(stop or ()),
        schema=schema_of(asked.response_format),
    )

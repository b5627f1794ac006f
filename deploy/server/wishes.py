"""What a request for answers wishes: what is honoured, what is harmless, and what is refused by name."""

import json
from collections.abc import Mapping
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, Field, ValidationError

from deploy.answer import Layers
from deploy.engines.engine import Sampling
from deploy.server.faults import RequestError, refused, unsupported
from deploy.server.finding import Finding

MOST_CHOICES = 8  # answers that one request may ask for
# Fields that change nothing here at these values, as clients send them by default; others are refused,
# since an ignored wish looks like a fulfilled one.
HARMLESS: Mapping[str, tuple[Any, ...]] = {
    "frequency_penalty": (0, None),
    "presence_penalty": (0, None),
    "logit_bias": ({}, None),
}
ANNOTATIONS = ("user", "metadata", "safety_identifier")  # notes for the operator of a hosted service


class LayerSwitches(BaseModel, extra="forbid", strict=True):
    """Which layers are on."""

    prompt: bool = True
    retrieval: bool = True


class Extension(Finding):
    """What OpenAI's API has no field for."""

    layers: LayerSwitches = LayerSwitches()


class StreamOptions(BaseModel, extra="forbid"):
    """What a stream has besides."""

    include_usage: bool = False


class Wishes(BaseModel, extra="forbid"):
    """How a question is answered."""

    model: str | None = None
    n: Annotated[int, Field(ge=1, le=MOST_CHOICES)] | None = None
    stream: bool | None = False
    stream_options: StreamOptions | None = None
    temperature: Annotated[float, Field(ge=0.0, le=2.0)] | None = None
    top_p: Annotated[float, Field(gt=0.0, le=1.0)] | None = None
    max_tokens: Annotated[int, Field(ge=1, le=4096)] | None = None
    seed: Annotated[int, Field(ge=-(2**63), lt=2**63)] | None = None
    stop: (
        Annotated[str, Field(min_length=1, max_length=64)]
        | Annotated[list[Annotated[str, Field(min_length=1, max_length=64)]], Field(max_length=4)]
        | None
    ) = None
    threeply: Extension = Extension()

    @property
    def layers(self) -> Layers:
        """The layers that are on."""
        return Layers(prompt=self.threeply.layers.prompt, retrieval=self.threeply.layers.retrieval)

    @property
    def include_usage(self) -> bool:
        """Whether a stream ends with the counts of tokens."""
        return self.stream_options is not None and self.stream_options.include_usage

    def sampling(
        self, usual: Sampling, *, longest: int | None, chances: int | None, schema: str | None = None
    ) -> Sampling:
        """How tokens are chosen; what is left open is as `usual`."""
        stop = [self.stop] if isinstance(self.stop, str) else self.stop
        return Sampling(
            max_new_tokens=longest or usual.max_new_tokens,
            temperature=usual.temperature if self.temperature is None else self.temperature,
            top_p=usual.top_p if self.top_p is None else self.top_p,
            seed=self.seed,
            stop=tuple(stop or ()),
            schema=schema,
            chances=chances,
        )


T = TypeVar("T", bound=Wishes)


def read_wishes(kind: type[T], body: bytes, harmless: Mapping[str, tuple[Any, ...]]) -> T:
    """What a body wishes, less what is `harmless` at its values and changes nothing.

    Raises:
        RequestError: the body is not JSON, or a field is wrong or not supported.
    """
    try:
        return kind.model_validate(_fields(body, harmless))
    except ValidationError as error:
        raise refused(error) from None


def _fields(body: bytes, harmless: Mapping[str, tuple[Any, ...]]) -> dict[str, Any]:
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
    for name, values in harmless.items():
        if name in fields and fields.pop(name) not in values:
            raise unsupported(name)
    for name in ANNOTATIONS:
        fields.pop(name, None)
    return fields

"""The interface of an engine."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from deploy.messages import Message

MOST_ROWS = 8  # requests that a stream answers at once where nobody says otherwise


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampling:
    """How tokens are chosen. Temperature 0 takes the likeliest; `seed` fixes the draw otherwise.

    The text ends before the first of the `stop` strings. With a `schema`, a JSON schema as text, it is JSON
    that keeps to it, if it is not cut; no abstention takes its place then. With `chances`, each token is told
    with the chance that the model itself gives it, and those of so many of the likeliest.
    """

    max_new_tokens: int
    temperature: float = 0.0
    top_p: float = 1.0
    seed: int | None = None
    stop: tuple[str, ...] = ()
    schema: str | None = None
    chances: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Chance:
    """A token that may stand at some place, and the natural logarithm of its chance.

    `text` is how the token is shown. `data` are the bytes that it adds to a text, which may be part of a
    character; None where it adds none, as a token of control.
    """

    text: str
    data: bytes | None
    logprob: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Weighed:
    """A token of an answer, with those that were likeliest at its place, best first.

    The chances are the model's own: before temperature, nucleus, schema and abstention. `start` is the
    character of the answer's text at which the token begins.
    """

    said: Chance
    likeliest: tuple[Chance, ...]
    start: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Generation:
    """One generated text with its token counts; `finished` is False where it was cut by its length.

    `chances` has the tokens of the text, less the one that ends it; None where they were not asked for.
    """

    text: str
    prompt_tokens: int
    completion_tokens: int
    finished: bool
    chances: tuple[Weighed, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A piece of a streamed text; the last one of a choice carries its whole generation as `end`.

    `chances`, where they are asked for, has the tokens that begin in it.
    """

    text: str
    choice: int = 0
    chances: tuple[Weighed, ...] = ()
    end: Generation | None = None


def never() -> bool:
    """That whoever asked is still there."""
    return False


class Engine(Protocol):
    """Anything that continues conversations with a named model."""

    @property
    def models(self) -> tuple[str, ...]:
        """The names that `model` may have: `base` and each adapter."""
        ...

    def generate(
        self,
        prompts: Sequence[Sequence[Message]],
        *,
        model: str,
        sampling: Sampling,
        coverage: Sequence[float] | None = None,
    ) -> list[Generation]:
        """The answer to each conversation, in order.

        `coverage` has for each in 0..1 how much of its question the sources cover that are shown in it; None
        where none are. An engine that does not weigh it leaves it aside.

        Raises:
            EngineError: no such model, or a prompt is longer than the model's context.
        """
        ...

    def stream(
        self,
        prompt: Sequence[Message],
        *,
        model: str,
        sampling: Sampling,
        coverage: float | None = None,
        choices: int = 1,
        gone: Callable[[], bool] = never,
    ) -> Iterator[Piece]:
        """The pieces of the answer as they come, joined equal to what `generate` gives.

        With several `choices` the prompt is answered so many times, and their pieces come mixed. The first
        is drawn by the seed of `sampling`, each other one by a seed that comes of it.

        Closing the iterator ends the generation. So does `gone`, which is asked while the prompt waits and is
        read, too: then no piece has an end.

        Raises:
            EngineError: as `generate`.
        """
        ...

    def check(self, prompt: Sequence[Message], *, model: str, sampling: Sampling) -> None:
        """Return if `prompt` and what is asked for fit into the model's context, and can be kept to.

        Raises:
            ContextLengthError: they do not.
            GrammarError: the schema of `sampling` cannot.
            UnsupportedError: this engine cannot do what is asked for, such as telling chances.
        """
        ...

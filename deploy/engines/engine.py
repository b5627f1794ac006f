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
    that keeps to it, if it is not cut; no abstention takes its place then.
    """

    max_new_tokens: int
    temperature: float = 0.0
    top_p: float = 1.0
    seed: int | None = None
    stop: tuple[str, ...] = ()
    schema: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Generation:
    """One generated text with its token counts; `finished` is False where it was cut by its length."""

    text: str
    prompt_tokens: int
    completion_tokens: int
    finished: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A piece of a streamed text; the last one carries the whole generation as `end`."""

    text: str
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
        gone: Callable[[], bool] = never,
    ) -> Iterator[Piece]:
        """The pieces of the answer as they come, joined equal to what `generate` gives.

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
        """
        ...

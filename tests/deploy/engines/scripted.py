"""An engine that says what it is told, for tests of what stands above an engine."""

from collections.abc import Callable, Iterator, Mapping, Sequence

from deploy.engines.engine import Chance, Generation, Piece, Sampling, Weighed, never
from deploy.errors import EngineError
from deploy.messages import Message, last_question


class ScriptedEngine:
    """Answers from `answers`, which maps the end of a prompt's last user turn to a text.

    Words count as tokens, and it is certain of each. Several choices take turns. `before_word` is called
    ahead of each streamed word, to wait or to fail.
    """

    def __init__(
        self,
        answers: Mapping[str, str],
        *,
        models: Sequence[str] = ("base", "sft", "rlhf"),
        otherwise: str = "The documentation does not say.",
        before_word: Callable[[str], object] = lambda _: None,
    ) -> None:
        self._answers, self._otherwise, self._before_word = dict(answers), otherwise, before_word
        self.models = tuple(models)
        self.asked: list[tuple[Message, ...]] = []
        self.coverage: list[float | None] = []

    def generate(
        self,
        prompts: Sequence[Sequence[Message]],
        *,
        model: str,
        sampling: Sampling,
        coverage: Sequence[float] | None = None,
    ) -> list[Generation]:
        """The scripted answer to each conversation."""
        self.coverage.extend(coverage if coverage is not None else [None] * len(prompts))
        return [list(self._pieces(prompt, model, sampling))[-1].end for prompt in prompts]  # type: ignore[misc]

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
        """The scripted answer word by word."""
        self.coverage.append(coverage)
        said = (self._pieces(prompt, model, sampling, choice) for choice in range(choices))
        for together in zip(*said, strict=True):
            for piece in together:
                if gone():
                    return
                yield piece

    def check(self, prompt: Sequence[Message], *, model: str, sampling: Sampling) -> None:
        """Anything fits."""

    def _pieces(
        self, prompt: Sequence[Message], model: str, sampling: Sampling, choice: int = 0
    ) -> Iterator[Piece]:
        if model not in self.models:
            raise EngineError(f"no model is called {model!r}; there are: {', '.join(self.models)}")
        self.asked.append(tuple(prompt))
        question = last_question(prompt)
        answer = next((a for end, a in self._answers.items() if question.endswith(end)), self._otherwise)
        words = answer.split(" ")
        said = words[: sampling.max_new_tokens]
        weighed: list[Weighed] = []
        start = 0
        for number, word in enumerate(said):
            self._before_word(word)
            text = word if number == 0 else f" {word}"
            chance = Chance(text=text, data=text.encode(), logprob=0.0)
            weighed.append(Weighed(said=chance, likeliest=(chance,), start=start))
            start += len(text)
            yield Piece(text=text, choice=choice, chances=() if sampling.chances is None else (weighed[-1],))
        generation = Generation(
            text=" ".join(said),
            prompt_tokens=sum(len(message.content.split()) for message in prompt),
            completion_tokens=len(said),
            finished=len(said) == len(words),
            chances=None if sampling.chances is None else tuple(weighed),
        )
        yield Piece(text="", choice=choice, end=generation)

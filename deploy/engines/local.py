"""The embedded engine: a transformers model in this process, with its adapters switched by name."""

import math
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from queue import SimpleQueue
from typing import TYPE_CHECKING

from deploy.abstention import ABSTENTION
from deploy.adapters.switching import Adapters
from deploy.engines.abstaining import Abstaining, Gate
from deploy.engines.asked import Asked, Heard, Shared
from deploy.engines.chat import answer_ids, end_of_turn, load_tokenizer, prompt_ids
from deploy.engines.choosing import seed_of
from deploy.engines.decoding import chances, decode, read
from deploy.engines.engine import MOST_ROWS, Generation, Piece, Sampling, never
from deploy.engines.grammar import Following, Grammars
from deploy.engines.heads import head_of
from deploy.engines.loading import Dtype, end_ids, load_model, stored_dtype
from deploy.engines.scheduling import Scheduler
from deploy.engines.transcript import Transcript
from deploy.engines.weighing import Weigher
from deploy.errors import ContextLengthError
from deploy.messages import Message

if TYPE_CHECKING:
    from torch import Tensor


class TransformersEngine:
    """Generates with one base model in memory. Calls from several threads wait for each other."""

    def __init__(
        self,
        base: Path,
        adapters: Mapping[str, Path],
        *,
        dtype: Dtype = "float32",
        device: str = "cpu",
        batch_size: int = 16,
        most_rows: int = MOST_ROWS,
        abstention: Mapping[str, Abstaining] | None = None,
    ) -> None:
        """Load the model in `base` and the adapter in each folder of `adapters`.

        `abstention` has for a model when it abstains; one without takes its likeliest answer. `most_rows` is
        how many requests `stream` answers at once.

        Raises:
            EngineError: a folder does not hold what it should.
        """
        import torch

        self._tokenizer = load_tokenizer(base)
        self._model = load_model(base, dtype=dtype, device=device)
        stored = getattr(torch, stored_dtype(base))
        self._adapters = Adapters(self._model, adapters, stored=stored, packs=True)
        self._ends = {end_of_turn(self._tokenizer), *end_ids(self._model)}
        # How many tokens a prompt and its answer may have together.
        self.context = int(self._model.config.get_text_config().max_position_embeddings)
        vocabulary = int(self._model.config.get_text_config().vocab_size)
        self._grammars = Grammars(self._tokenizer, self._ends, vocabulary=vocabulary)
        self._weigher = Weigher(self._tokenizer)
        self._batch_size = batch_size
        self._abstention = answer_ids(self._tokenizer, ABSTENTION)
        self._rules = dict(abstention or {})
        self._lock = threading.Lock()
        self._scheduler = Scheduler(self._model, self._adapters, self._lock, most_rows=most_rows)

    @property
    def models(self) -> tuple[str, ...]:
        """`base` and the adapters."""
        return self._adapters.names

    @contextmanager
    def held(self, model: str) -> Iterator["Callable[[Tensor], Tensor]"]:
        """What `model` makes of right-padded token rows, held for the block: for what needs more than text.

        From [rows, tokens] it makes logits [rows, tokens, vocabulary].
        """
        import torch

        def logits(rows: "Tensor") -> "Tensor":
            with torch.inference_mode():
                return read(
                    self._model, rows.to(self._model.device), virtual_tokens=self._adapters.virtual_tokens
                )

        with self._lock:
            self._adapters.activate(model)
            yield logits

    def from_threshold(
        self, prompts: Sequence[Sequence[Message]], *, model: str, coverage: Sequence[float | None]
    ) -> list[float]:
        """For each conversation how far `model` is from deciding otherwise about abstaining, in log-odds."""
        rule = self._rules.get(model)
        if rule is None:
            return [math.inf] * len(prompts)
        chances = self.abstention_chances(prompts, model=model)
        return [
            math.inf if covered is None and rule.coverage_weight else rule.distance(chance, covered or 0.0)
            for chance, covered in zip(chances, coverage, strict=True)
        ]

    def abstention_chances(self, prompts: Sequence[Sequence[Message]], *, model: str) -> list[float]:
        """For each conversation the chance that `model` gives to the abstention as the whole answer."""
        tokens = [prompt_ids(self._tokenizer, prompt) for prompt in prompts]
        order = sorted(range(len(tokens)), key=lambda place: -len(tokens[place]))
        found: dict[int, float] = {}
        with self._lock:
            self._adapters.activate(model)
            for start in range(0, len(order), self._batch_size):
                places = order[start : start + self._batch_size]
                batch = [tokens[place] for place in places]
                virtual = self._adapters.virtual_tokens
                each = chances(self._model, batch, self._abstention, virtual_tokens=virtual)
                found.update(zip(places, each, strict=True))
        return [found[place] for place in range(len(tokens))]

    def generate(
        self,
        prompts: Sequence[Sequence[Message]],
        *,
        model: str,
        sampling: Sampling,
        coverage: Sequence[float] | None = None,
    ) -> list[Generation]:
        """The answer to each conversation, in order; `coverage` as `Engine` has it.

        Prompts of similar length share a batch, which keeps padding small.

        Raises:
            EngineError: no such model, or a prompt is longer than the model's context.
        """
        tokens = [self._tokens(prompt, model, sampling) for prompt in prompts]
        order = sorted(range(len(tokens)), key=lambda place: -len(tokens[place]))
        results: dict[int, Generation] = {}
        for start in range(0, len(order), self._batch_size):
            places = order[start : start + self._batch_size]
            covered = None if coverage is None else [coverage[place] for place in places]
            gate = self._gate(model, len(places), covered, sampling)
            answers = self._batch([tokens[place] for place in places], model, sampling, gate)
            results.update(zip(places, answers, strict=True))
        return [results[place] for place in range(len(tokens))]

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
        """The pieces of the answer as they come, as `Engine` has it; several are answered at once."""
        tokens = self._tokens(prompt, model, sampling)
        heard: SimpleQueue[Heard] = SimpleQueue()
        closed = threading.Event()
        head, shared = head_of(self._tokenizer, prompt, tokens), Shared(choices)
        self._scheduler.ask(
            *(
                Asked(
                    prompt=tokens,
                    head=head,
                    model=model,
                    sampling=replace(sampling, seed=seed_of(choice, sampling.seed)),
                    transcript=self._transcript(sampling, choice),
                    shared=shared,
                    gate=self._gate(model, 1, None if coverage is None else [coverage], sampling),
                    keeping=self._keeping(sampling),
                    put=heard.put,
                    gone=lambda: closed.is_set() or gone(),
                )
                for choice in range(choices)
            )
        )
        try:
            while (piece := heard.get()) is not None:
                if isinstance(piece, Exception):
                    raise piece
                yield piece
                if piece.end is not None:
                    choices -= 1
                    if not choices:
                        return
        finally:
            closed.set()

    def check(self, prompt: Sequence[Message], *, model: str, sampling: Sampling) -> None:
        """Return if `prompt` and what is asked for fit into the model's context, and can be kept to.

        Raises:
            ContextLengthError: they do not.
            GrammarError: the schema of `sampling` cannot.
        """
        self._tokens(prompt, model, sampling)
        self._keeping(sampling)

    def _transcript(self, sampling: Sampling, choice: int = 0) -> Transcript:
        return Transcript(self._tokenizer, self._ends, sampling, weigher=self._weigher, choice=choice)

    def _keeping(self, sampling: Sampling, rows: int = 1) -> list[Following] | None:
        """What the tokens of each row keep to; None where they are free."""
        if sampling.schema is None:
            return None
        return [self._grammars.following(sampling.schema) for _ in range(rows)]

    def _gate(
        self, model: str, rows: int, coverage: Sequence[float] | None, sampling: Sampling
    ) -> Gate | None:
        """When these rows abstain; None where nothing says it, or a schema has no room for the sentence.

        A threshold that was found together with coverage means nothing without, so where no sources are shown
        such a model takes its likeliest answer.
        """
        rule = self._rules.get(model)
        if rule is None or sampling.schema is not None or (coverage is None and rule.coverage_weight):
            return None
        covered = tuple(coverage) if coverage is not None else (0.0,) * rows
        return Gate(tokens=tuple(self._abstention), rule=rule, coverage=covered)

    def _batch(
        self, prompts: list[list[int]], model: str, sampling: Sampling, gate: Gate | None
    ) -> list[Generation]:
        transcripts = [self._transcript(sampling) for _ in prompts]

        def weigh(row: int, token: int, logits: "Tensor") -> None:
            transcripts[row].weigh(token, logits)

        with self._lock:
            self._adapters.activate(model)
            for _ in decode(
                self._model,
                prompts,
                sampling=sampling,
                goes_on=lambda row, t: transcripts[row].add(t),
                virtual_tokens=self._adapters.virtual_tokens,
                gate=gate,
                keeping=self._keeping(sampling, len(prompts)),
                weigh=weigh if sampling.chances is not None else None,
            ):
                pass
        return [
            transcript.generation(len(prompt))
            for transcript, prompt in zip(transcripts, prompts, strict=True)
        ]

    def _tokens(self, prompt: Sequence[Message], model: str, sampling: Sampling) -> list[int]:
        tokens = prompt_ids(self._tokenizer, prompt)
        virtual_tokens = self._adapters.virtual_tokens_of(model)
        context = self.context - (virtual_tokens.columns if virtual_tokens else 0)
        if len(tokens) + sampling.max_new_tokens > context:
            raise ContextLengthError(
                f"the prompt has {len(tokens)} tokens and {sampling.max_new_tokens} are asked for, but the "
                f"context holds {context}; shorten the conversation or ask for fewer tokens"
            )
        return tokens

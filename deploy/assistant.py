"""The assistant: the three layers put together, each of which can be switched off.

`Assistant.answer` = search the knowledge -> fill the prompt template -> generate with the adapter that
`model` names -> read the citations. Training grounds its rows with `compose`, evaluation and the server
call `answer`: what is trained, what is measured and what is served cannot differ.
"""

import time
from collections.abc import Callable, Collection, Iterator, Sequence
from copy import copy
from dataclasses import replace

from deploy.answer import Answer, Layers, answer_of
from deploy.composed import Composed, coverages, numbered
from deploy.engines.engine import Engine, Piece, Sampling, never
from deploy.errors import ContextLengthError, EngineError, KnowledgeError
from deploy.knowledge.hits import Knowledge
from deploy.messages import Message, last_question, said_before
from deploy.prompts.question import question_of
from deploy.prompts.template import PromptTemplate, Source, load_template
from deploy.settings import GenerationSettings

Conversation = Sequence[Message]


class Assistant:
    """Answers conversations. Without an engine it can still compose, without knowledge still answer."""

    def __init__(
        self,
        engine: Engine | None,
        knowledge: Knowledge | None,
        template: PromptTemplate,
        generation: GenerationSettings,
        *,
        plain: PromptTemplate | None = None,
    ) -> None:
        self._engine, self._knowledge = engine, knowledge
        self.template = template
        self._plain = plain or load_template("plain")
        self.sampling = Sampling(
            max_new_tokens=generation.max_new_tokens,
            temperature=generation.temperature,
            top_p=generation.top_p,
        )

    @property
    def engine(self) -> Engine:
        """The engine.

        Raises:
            EngineError: this assistant only composes.
        """
        if self._engine is None:
            raise EngineError("this assistant has no engine: it can compose prompts, but not answer")
        return self._engine

    @property
    def knowledge(self) -> Knowledge | None:
        """What is searched; None where nothing is."""
        return self._knowledge

    def over(self, knowledge: Knowledge | None) -> "Assistant":
        """The same assistant, searching `knowledge`."""
        other = copy(self)
        other._knowledge = knowledge
        return other

    @property
    def models(self) -> tuple[str, ...]:
        """The names that `model` may have."""
        return self.engine.models

    def compose(
        self,
        conversations: Sequence[Conversation],
        *,
        layers: Layers,
        exclude: Sequence[Collection[str]] | None = None,
    ) -> list[Composed]:
        """For each conversation the messages for the model; `exclude` names documents not to be retrieved."""
        if not layers.retrieval:
            return [
                Composed(messages=self._messages(conversation, (), layers), sources=())
                for conversation in conversations
            ]
        if self._knowledge is None:
            raise KnowledgeError("retrieval is on, but no knowledge is loaded; run dvc repro index")
        questions = [last_question(conversation) for conversation in conversations]
        before = [said_before(conversation) for conversation in conversations]
        found = self._knowledge.search(questions, before=before, exclude=exclude)
        return [
            Composed(
                messages=self._messages(conversation, sources := numbered(hits), layers),
                sources=sources,
                covered=tuple(hit.coverage for hit in hits),
            )
            for conversation, hits in zip(conversations, found, strict=True)
        ]

    def compose_over(self, conversation: Conversation, sources: Sequence[Source]) -> Composed:
        """The messages for the model with these sources, whatever a search would find; without coverage."""
        shown = tuple(sources)
        return Composed(messages=self._messages(conversation, shown, Layers()), sources=shown)

    def answer(
        self,
        conversations: Sequence[Conversation],
        *,
        model: str,
        layers: Layers,
        exclude: Sequence[Collection[str]] | None = None,
        sampling: Sampling | None = None,
    ) -> list[Answer]:
        """The answer to each conversation, in order.

        Raises:
            QuestionError: a conversation asks nothing.
            EngineError: no such model, or a prompt is longer than the model's context.
        """
        started = time.perf_counter()
        for conversation in conversations:
            question_of(conversation)
        chosen = sampling or self.sampling
        composed = [
            self._fitted(conversation, each, layers, model=model, sampling=chosen)
            for conversation, each in zip(
                conversations, self.compose(conversations, layers=layers, exclude=exclude), strict=True
            )
        ]
        searched = time.perf_counter() - started
        prompts = [each.messages for each in composed]
        generations = self.engine.generate(
            prompts, model=model, sampling=chosen, coverage=coverages(composed)
        )
        share = max(len(conversations), 1)
        seconds = (time.perf_counter() - started) / share
        return [
            answer_of(
                generation,
                each.sources,
                layers,
                left_out=each.left_out,
                retrieval_seconds=searched / share,
                seconds=seconds,
            )
            for generation, each in zip(generations, composed, strict=True)
        ]

    def stream(
        self,
        conversation: Conversation,
        *,
        model: str,
        layers: Layers,
        sampling: Sampling | None = None,
        choices: int = 1,
        gone: Callable[[], bool] = never,
    ) -> Iterator[Piece | Answer]:
        """The answer piece by piece, then the whole `Answer`; of several `choices` mixed, as they come.

        What they are answered from is searched once. Closing the iterator ends generation; once `gone`, as
        `Engine.stream` has it, no `Answer` comes. Raises what `answer` does.
        """
        started = time.perf_counter()
        chosen = sampling or self.sampling
        question_of(conversation)
        self.engine.check(conversation, model=model, sampling=chosen)  # before anything is searched for it
        [found] = self.compose([conversation], layers=layers)
        composed = self._fitted(conversation, found, layers, model=model, sampling=chosen)
        searched = time.perf_counter() - started
        pieces = self.engine.stream(
            composed.messages,
            model=model,
            sampling=chosen,
            coverage=composed.coverage,
            choices=choices,
            gone=gone,
        )
        for piece in pieces:
            if piece.text or piece.chances:
                yield piece
            if piece.end is not None:
                seconds = time.perf_counter() - started
                answer = answer_of(
                    piece.end,
                    composed.sources,
                    layers,
                    left_out=composed.left_out,
                    retrieval_seconds=searched,
                    seconds=seconds,
                )
                yield replace(answer, choice=piece.choice)

    def _fitted(
        self, conversation: Conversation, found: Composed, layers: Layers, *, model: str, sampling: Sampling
    ) -> Composed:
        """What was found as far as the model's context has room for it: whole sources, the best of them."""
        kept = found
        while kept.sources:
            try:
                self.engine.check(kept.messages, model=model, sampling=sampling)
            except ContextLengthError:
                sources = kept.sources[:-1]
                messages = self._messages(conversation, sources, layers)
                kept = replace(kept, messages=messages, sources=sources, left_out=kept.left_out + 1)
            else:
                break
        return kept

    def _messages(
        self, conversation: Conversation, sources: tuple[Source, ...], layers: Layers
    ) -> tuple[Message, ...]:
        if layers.prompt:
            return tuple(self.template.render(conversation, sources))
        if layers.retrieval:
            return tuple(self._plain.render(conversation, sources))
        return tuple(conversation)

"""The route /v1/completions, OpenAI's older one: answers to prompts.

Each prompt is one question of the user's, and is answered through the layers as in a chat: the text is not
continued as it stands.
"""

from collections.abc import Iterable, Sequence
from typing import Annotated, Any

from fastapi import FastAPI
from pydantic import Field

from deploy.answer import Answer
from deploy.engines.engine import Chance, Piece, Weighed
from deploy.errors import QuestionError
from deploy.messages import Message
from deploy.prompts.question import question_of
from deploy.server import wishes
from deploy.server.answering import Answering
from deploy.server.faults import RequestError, as_fault
from deploy.server.live import Served
from deploy.server.replies import Envelope, finish
from deploy.server.requests import ChatRequest, known_model
from deploy.server.wishes import MOST_CHOICES, Wishes, read_wishes
from deploy.settings import ServeSettings

HARMLESS = {**wishes.HARMLESS, "echo": (False, None), "best_of": (1, None), "suffix": ("", None)}


class CompletionsBody(Wishes):
    """Prompts to be answered, and how."""

    prompt: str | Annotated[list[str], Field(min_length=1, max_length=MOST_CHOICES)]
    logprobs: Annotated[int, Field(ge=0, le=5)] | None = None


class CompletionsEnvelope(Envelope):
    """The reply of /v1/completions."""

    def whole(self, answers: Iterable[Answer]) -> dict[str, Any]:
        """A whole reply."""
        answers = sorted(answers, key=lambda answer: answer.choice)
        choices = [
            ({**_choice(answer.choice, answer.text, answer.chances), "finish_reason": finish(answer)}, answer)
            for answer in answers
        ]
        return self.placed({**self.head("text_completion"), "usage": self.usage(answers)}, choices)

    def opening(self) -> list[dict[str, Any]]:
        """Nothing: there are no roles to be told."""
        return []

    def piece(self, piece: Piece) -> dict[str, Any]:
        """A chunk with text."""
        choice = _choice(piece.choice, piece.text, piece.chances or None)
        return {**self.head("text_completion"), "choices": [choice]}

    def closing(self, answer: Answer) -> dict[str, Any]:
        """The chunk that ends the text of a choice; carries its citations and sources."""
        ended = {**_choice(answer.choice, "", None), "finish_reason": finish(answer)}
        return self.placed(self.head("text_completion"), [(ended, answer)])

    def counted(self, answers: Sequence[Answer]) -> dict[str, Any]:
        """The chunk with the token counts, for clients that ask for it."""
        return {**self.head("text_completion"), "choices": [], "usage": self.usage(answers)}


def add_completions_route(app: FastAPI, answering: Answering) -> None:
    """Give `app` the route that answers prompts."""
    answering.add_route(
        app,
        "/v1/completions",
        body=CompletionsBody,
        read=read_prompts,
        kind=CompletionsEnvelope,
        prefix="cmpl",
        field="prompt",
        summary="Answer prompts as questions, for older clients",
    )


def read_prompts(body: bytes, settings: ServeSettings, served: Served) -> list[ChatRequest]:
    """What the request asks, a question a prompt; what it leaves open is as usual in `served`.

    Raises:
        RequestError: the body is not JSON, a field is wrong or not supported, there is no such model, or a
            prompt asks nothing or too much.
    """
    asked = read_wishes(CompletionsBody, body, HARMLESS)
    model = known_model(asked.model or served.default_model, served)
    prompts = [asked.prompt] if isinstance(asked.prompt, str) else asked.prompt
    choices = asked.n or 1
    if (wanted := len(prompts) * choices) > MOST_CHOICES:
        told = (
            f"{len(prompts)} prompts with n of {choices} are {wanted} answers; ask for {MOST_CHOICES} at most"
        )
        raise RequestError(400, told, "too_many_choices", "n")
    sampling = asked.sampling(served.assistant.sampling, longest=asked.max_tokens, chances=asked.logprobs)
    return [
        ChatRequest(
            conversation=(_question(place, prompt, settings.max_message_characters),),
            model=model,
            layers=asked.layers,
            sampling=sampling,
            choices=choices,
            stream=bool(asked.stream),
            include_usage=asked.include_usage,
            wanted=asked.threeply.wanted,
        )
        for place, prompt in enumerate(prompts)
    ]


def _question(place: int, prompt: str, longest: int) -> Message:
    message = Message("user", prompt)
    try:
        question_of([message])
    except QuestionError as error:
        raise as_fault(error, asked="prompt") from None
    if len(prompt) > longest:
        told = f"prompt {place + 1} has {len(prompt)} characters; at most {longest} are read: shorten it"
        raise RequestError(400, told, "message_too_long", "prompt")
    return message


def _choice(index: int, text: str, chances: Sequence[Weighed] | None) -> dict[str, Any]:
    return {"index": index, "text": text, "logprobs": _logprobs(chances), "finish_reason": None}


def _logprobs(chances: Sequence[Weighed] | None) -> dict[str, Any] | None:
    """The older shape: a list for each kind of figure. Beside the likeliest stands what was said, too."""
    if chances is None:
        return None
    return {
        "tokens": [each.said.text for each in chances],
        "token_logprobs": [each.said.logprob for each in chances],
        "top_logprobs": [_by_text([*each.likeliest, each.said]) for each in chances],
        "text_offset": [each.start for each in chances],
    }


def _by_text(chances: Sequence[Chance]) -> dict[str, float]:
    """By text, as the shape is: of two tokens that read alike, the likelier counts."""
    told: dict[str, float] = {}
    for chance in chances:
        told.setdefault(chance.text, chance.logprob)
    return told

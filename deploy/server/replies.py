"""The JSON of the replies: OpenAI's shapes, with what the three layers did under `threeply`."""

import json
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from deploy.answer import Answer
from deploy.engines.engine import Chance, Piece, Weighed


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope(ABC):
    """What all parts of one reply have in common.

    It has the answers to so many `questions`, and to each as many `choices`. Where these are several answers,
    `threeply` stands in each of them, and else beside the one.
    """

    id: str
    created: int
    model: str
    fingerprint: str
    questions: int = 1
    choices: int = 1

    def name(self, choice: int) -> str:
        """What an answer is rated by: the id of the reply, from the second on with a number behind it."""
        return f"{self.id}-{choice}" if choice else self.id

    @abstractmethod
    def whole(self, answers: Iterable[Answer]) -> dict[str, Any]:
        """A whole reply."""

    @abstractmethod
    def opening(self) -> list[dict[str, Any]]:
        """The first chunks of a stream."""

    @abstractmethod
    def piece(self, piece: Piece) -> dict[str, Any]:
        """A chunk with text."""

    @abstractmethod
    def closing(self, answer: Answer) -> dict[str, Any]:
        """The chunk that ends the text of a choice; carries its citations and sources."""

    @abstractmethod
    def counted(self, answers: Sequence[Answer]) -> dict[str, Any]:
        """The chunk with the token counts, for clients that ask for it."""

    def usage(self, answers: Iterable[Answer]) -> dict[str, int]:
        """The counts of tokens: each question's prompt once, and all answers."""
        prompts = {answer.choice // self.choices: answer.prompt_tokens for answer in answers}
        read, said = sum(prompts.values()), sum(answer.completion_tokens for answer in answers)
        return {"prompt_tokens": read, "completion_tokens": said, "total_tokens": read + said}

    def placed(self, part: dict[str, Any], choices: list[tuple[dict[str, Any], Answer]]) -> dict[str, Any]:
        """`part` of a reply with these choices, and in it what the layers did for each."""
        several = self.questions * self.choices > 1
        if not several:
            return {**part, "choices": [choice for choice, _ in choices], "threeply": layers(choices[0][1])}
        told = [
            {**choice, "threeply": {"id": self.name(answer.choice), **layers(answer)}}
            for choice, answer in choices
        ]
        return {**part, "choices": told}

    def head(self, kind: str) -> dict[str, Any]:
        """What each part begins with."""
        return {
            "id": self.id,
            "object": kind,
            "created": self.created,
            "model": self.model,
            "system_fingerprint": self.fingerprint,
        }


class ChatEnvelope(Envelope):
    """The reply of /v1/chat/completions."""

    def whole(self, answers: Iterable[Answer]) -> dict[str, Any]:
        """A whole reply."""
        answers = sorted(answers, key=lambda answer: answer.choice)
        choices = [
            (
                {
                    "index": answer.choice,
                    "message": {"role": "assistant", "content": answer.text, "refusal": None},
                    "logprobs": _logprobs(answer.chances),
                    "finish_reason": finish(answer),
                },
                answer,
            )
            for answer in answers
        ]
        return self.placed({**self.head("chat.completion"), "usage": self.usage(answers)}, choices)

    def opening(self) -> list[dict[str, Any]]:
        """The first chunks of a stream: each choice's role."""
        role = {"role": "assistant", "content": ""}
        return [self._chunk([_delta(choice, role)]) for choice in range(self.questions * self.choices)]

    def piece(self, piece: Piece) -> dict[str, Any]:
        """A chunk with text."""
        logprobs = _logprobs(piece.chances or None)
        return self._chunk([{**_delta(piece.choice, {"content": piece.text}), "logprobs": logprobs}])

    def closing(self, answer: Answer) -> dict[str, Any]:
        """The chunk that ends the text of a choice; carries its citations and sources."""
        ended = {**_delta(answer.choice, {}), "finish_reason": finish(answer)}
        return self.placed(self._chunk([]), [(ended, answer)])

    def counted(self, answers: Sequence[Answer]) -> dict[str, Any]:
        """The chunk with the token counts, for clients that ask for it."""
        return {**self._chunk([]), "usage": self.usage(answers)}

    def _chunk(self, choices: list[dict[str, Any]]) -> dict[str, Any]:
        return {**self.head("chat.completion.chunk"), "choices": choices}


def event(value: dict[str, Any]) -> str:
    """`value` as one server-sent event."""
    return f"data: {json.dumps(value, ensure_ascii=False)}\n\n"


def finish(answer: Answer) -> str:
    """Why an answer ends."""
    return "stop" if answer.finished else "length"


def layers(answer: Answer) -> dict[str, Any]:
    """What the three layers did for an answer."""
    return {
        "citations": list(answer.citations),
        "sources": [asdict(source) for source in answer.sources],
        "left_out": answer.left_out,
        "layers": asdict(answer.layers),
        "timings": {
            "retrieval_ms": round(answer.retrieval_seconds * 1000, 1),
            "total_ms": round(answer.seconds * 1000, 1),
        },
    }


def _delta(choice: int, delta: dict[str, str]) -> dict[str, Any]:
    return {"index": choice, "delta": delta, "logprobs": None, "finish_reason": None}


def _logprobs(chances: Sequence[Weighed] | None) -> dict[str, Any] | None:
    if chances is None:
        return None
    content = [
        {**_chance(each.said), "top_logprobs": [_chance(other) for other in each.likeliest]}
        for each in chances
    ]
    return {"content": content, "refusal": None}


def _chance(chance: Chance) -> dict[str, Any]:
    data = None if chance.data is None else list(chance.data)
    return {"token": chance.text, "logprob": chance.logprob, "bytes": data}

"""The JSON of the replies: OpenAI's shapes, with what the three layers did under `threeply`."""

import json
from dataclasses import asdict, dataclass
from typing import Any

from deploy.assistant import Answer


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """What all parts of one reply have in common."""

    id: str
    created: int
    model: str
    fingerprint: str

    def completion(self, answer: Answer) -> dict[str, Any]:
        """A whole reply."""
        message = {"role": "assistant", "content": answer.text, "refusal": None}
        choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": _finish(answer)}
        return {
            **self._head("chat.completion"),
            "choices": [choice],
            "usage": _usage(answer),
            "threeply": _layers(answer),
        }

    def opening(self) -> dict[str, Any]:
        """The first chunk of a stream."""
        return self._chunk({"role": "assistant", "content": ""}, None)

    def piece(self, text: str) -> dict[str, Any]:
        """A chunk with text."""
        return self._chunk({"content": text}, None)

    def closing(self, answer: Answer) -> dict[str, Any]:
        """The chunk that ends the text; carries the citations and sources."""
        return {**self._chunk({}, _finish(answer)), "threeply": _layers(answer)}

    def usage(self, answer: Answer) -> dict[str, Any]:
        """The chunk with the token counts, for clients that ask for it."""
        return {**self._head("chat.completion.chunk"), "choices": [], "usage": _usage(answer)}

    def _chunk(self, delta: dict[str, str], finish: str | None) -> dict[str, Any]:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
        return {**self._head("chat.completion.chunk"), "choices": [choice]}

    def _head(self, kind: str) -> dict[str, Any]:
        return {
            "id": self.id,
            "object": kind,
            "created": self.created,
            "model": self.model,
            "system_fingerprint": self.fingerprint,
        }


def event(value: dict[str, Any]) -> str:
    """`value` as one server-sent event."""
    return f"data: {json.dumps(value, ensure_ascii=False)}\n\n"


def _finish(answer: Answer) -> str:
    return "stop" if answer.finished else "length"


def _usage(answer: Answer) -> dict[str, int]:
    return {
        "prompt_tokens": answer.prompt_tokens,
        "completion_tokens": answer.completion_tokens,
        "total_tokens": answer.prompt_tokens + answer.completion_tokens,
    }


def _layers(answer: Answer) -> dict[str, Any]:
    return {
        "citations": list(answer.citations),
        "sources": [asdict(source) for source in answer.sources],
        "layers": asdict(answer.layers),
        "timings": {
            "retrieval_ms": round(answer.retrieval_seconds * 1000, 1),
            "total_ms": round(answer.seconds * 1000, 1),
        },
    }

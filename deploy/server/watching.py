"""Who hears of the answers to a request: what logs them, and what traces them."""

from collections.abc import MutableMapping
from typing import Any, Protocol

from deploy.answer import Answer
from deploy.server.requests import ChatRequest


class Watcher(Protocol):
    """Is told of each whole answer to one request."""

    def answered(self, identifier: str, question: ChatRequest, answer: Answer) -> None:
        """`answer` is one of the reply with this identifier."""


def watchers(scope: MutableMapping[str, Any]) -> list[Watcher]:
    """Those of the request that `scope` is of; middleware adds its own."""
    found: list[Watcher] = scope.setdefault("state", {}).setdefault("watchers", [])
    return found

"""A judge behind an OpenAI-compatible API, on this machine or elsewhere."""

import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from http.client import HTTPException
from typing import Any

from tasks.errors import TrainingError

ATTEMPTS = 4
AGAIN = frozenset({408, 409, 429, 500, 502, 503, 504})  # what a server says that may answer later
LONGEST_WAIT = 60.0  # seconds, however long a server asks to wait


@dataclass(frozen=True, slots=True, kw_only=True)
class Upstream:
    """A model at `url` (up to and with `/v1`); `key` is sent as a bearer token and shown nowhere."""

    url: str
    model: str
    key: str = ""
    max_tokens: int = 256
    seconds: float = 120.0
    sleep: Callable[[float], object] = time.sleep

    def reply(self, text: str) -> str:
        """The likeliest reply to `text`.

        Raises:
            TrainingError: the server refuses, or does not answer however often it is asked.
        """
        said = ""
        for attempt in range(ATTEMPTS):
            try:
                return self._asked(text)
            except urllib.error.HTTPError as error:
                with error:
                    said = f"{error.code} {error.read(300).decode(errors='replace')}"
                if error.code not in AGAIN:
                    raise self._failed(said) from None
                wait = _seconds(error.headers.get("Retry-After"), 2.0**attempt)
            except (OSError, HTTPException) as error:
                said, wait = str(getattr(error, "reason", error)) or type(error).__name__, 2.0**attempt
            if attempt + 1 < ATTEMPTS:
                self.sleep(wait)
        raise self._failed(said)

    def _asked(self, text: str) -> str:
        body = {
            "model": self.model,
            "messages": [{"role": "user", "content": text}],
            "max_tokens": self.max_tokens,
            "temperature": 0.0,
        }
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(  # noqa: S310  (the user's address, checked by `checked_url`)
            f"{self.url.rstrip('/')}/chat/completions", data=json.dumps(body).encode(), headers=headers
        )
        if self.key:  # for this address alone, wherever it sends us on to
            request.add_unredirected_header("Authorization", f"Bearer {self.key}")
        with urllib.request.urlopen(request, timeout=self.seconds) as answer:  # noqa: S310
            return self._text(answer.read())

    def _text(self, body: bytes) -> str:
        try:
            found: Any = json.loads(body)["choices"][0]["message"]["content"]
        except (ValueError, LookupError, TypeError):
            raise self._failed(f"something that is no chat completion: {body[:200]!r}") from None
        return found if isinstance(found, str) else ""

    def _failed(self, said: str) -> TrainingError:
        told = said.strip().replace(self.key, "***") if self.key else said.strip()
        return TrainingError(
            f"the judge {self.model} at {self.url} said: {told}; correct --url, --model or the key, or try "
            "again later: what it has judged is kept"
        )


def checked_url(url: str) -> str:
    """`url`, where it is an address of http.

    Raises:
        ValueError: it is not.
    """
    if not url.startswith(("http://", "https://")):
        raise ValueError(f"{url!r} is no address: it begins with http:// or https://, and ends with /v1")
    return url


def _seconds(told: str | None, otherwise: float) -> float:
    """How long a server asks to wait; a date in place of seconds counts as not told."""
    try:
        return min(max(float(told or ""), 0.0), LONGEST_WAIT)
    except ValueError:
        return otherwise

"""How much each caller may ask in a minute, in requests and in tokens: token buckets, refilled steadily."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

from deploy.server.faults import RequestError

_MOST_CALLERS = 10_000  # kept in mind; above it those are forgotten who have asked nothing for a minute
_MINUTE = 60.0
_ROUNDING = 1e-6


@dataclass(slots=True)
class _Bucket:
    left: float
    when: float


class Limits:
    """Counts what callers ask; None is no limit.

    A minute's worth may be asked at once. How many tokens an answer takes is known when it is there, and how
    many answers a request asks for when it is read: a caller may go below nothing once, and waits until that
    is made up for.
    """

    def __init__(
        self,
        *,
        requests_per_minute: int | None,
        tokens_per_minute: int | None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._most = {"requests": requests_per_minute, "tokens": tokens_per_minute}
        self._clock = clock
        self._buckets: dict[tuple[str, str], _Bucket] = {}

    def admit(self, caller: str) -> None:
        """Count a request of `caller`.

        Raises:
            RequestError: it has asked enough for now; `Retry-After` says when to come again.
        """
        for what, most in self._most.items():
            if most is None:
                continue
            least = 1.0 if what == "requests" else 0.0
            bucket = self._bucket(what, caller, most)
            if (missing := least - bucket.left) > _ROUNDING:
                seconds = math.ceil(missing * _MINUTE / most - _ROUNDING)
                raise RequestError(
                    429,
                    f"{most} {what} a minute are allowed, and they are used up; come again in {seconds} s",
                    "rate_limit_exceeded",
                    headers={"Retry-After": str(seconds)},
                )
        self._spend("requests", caller, 1)

    def further(self, caller: str, answers: int) -> None:
        """Count further answers to the same request, each as a request; they may go below nothing."""
        self._spend("requests", caller, answers)

    def spend(self, caller: str, tokens: int) -> None:
        """Count the tokens of an answer to `caller`, those of its prompt included."""
        self._spend("tokens", caller, tokens)

    def _spend(self, what: str, caller: str, amount: float) -> None:
        most = self._most[what]
        if most is not None:
            self._bucket(what, caller, most).left -= amount

    def _bucket(self, what: str, caller: str, most: int) -> _Bucket:
        now = self._clock()
        if len(self._buckets) > _MOST_CALLERS:
            self._buckets = {name: each for name, each in self._buckets.items() if now - each.when < _MINUTE}
        bucket = self._buckets.setdefault((what, caller), _Bucket(left=most, when=now))
        bucket.left = min(bucket.left + (now - bucket.when) * most / _MINUTE, most)
        bucket.when = now
        return bucket

"""What a server has done, in numbers for Prometheus: no prompt, no answer and no key is among them."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from deploy.answer import Answer

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_SECONDS = (0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8, 25.6, 51.2, 102.4)


class Metrics:
    """The counts of one server."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "threeply_requests", "Requests by route and status", ["route", "status"], registry=self._registry
        )
        self._tokens = Counter(
            "threeply_tokens", "Tokens by model and kind", ["model", "kind"], registry=self._registry
        )
        self._running = Gauge(
            "threeply_requests_running", "Requests that are answered or wait for it", registry=self._registry
        )
        self._waiting = Gauge(
            "threeply_requests_waiting", "Requests that have no text yet", registry=self._registry
        )
        self._seconds = Histogram(
            "threeply_seconds",
            "Time of an answer: its search, until its first text, in all",
            ["part"],
            registry=self._registry,
            buckets=_SECONDS,
        )

    def counted(self, route: str, status: int) -> None:
        """A request was answered with this status."""
        self._requests.labels(route, str(status)).inc()

    def began(self) -> None:
        """A question was taken."""
        self._running.inc()
        self._waiting.inc()

    def ended(self, *, has_text: bool) -> None:
        """A question that was taken has been answered or given up; whether it `has_text` by now."""
        self._running.dec()
        if not has_text:
            self._waiting.dec()

    def first_text(self, seconds: float) -> None:
        """The first text of an answer was there after so many seconds."""
        self._waiting.dec()
        self._seconds.labels("first text").observe(seconds)

    def answered(self, model: str, answer: Answer, *, further: bool) -> None:
        """A whole answer of `model`; a `further` one to a question has no prompt and no search of its own."""
        self._tokens.labels(model, "completion").inc(answer.completion_tokens)
        if not further:
            self._tokens.labels(model, "prompt").inc(answer.prompt_tokens)
            if answer.layers.retrieval:
                self._seconds.labels("search").observe(answer.retrieval_seconds)
        self._seconds.labels("answer").observe(answer.seconds)

    def text(self) -> bytes:
        """All of it in Prometheus' format."""
        return generate_latest(self._registry)


class Counted:
    """ASGI middleware that counts each reply by its route; one to a path that is none counts as `other`."""

    def __init__(self, app: ASGIApp, *, metrics: Metrics) -> None:
        self._app, self._metrics = app, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def counted(message: Message) -> None:
            if message["type"] == "http.response.start":
                route = getattr(scope.get("route"), "path", "other")
                self._metrics.counted(route, message["status"])
            await send(message)

        await self._app(scope, receive, counted)

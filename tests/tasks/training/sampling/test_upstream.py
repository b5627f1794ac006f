"""Protects talks with a judge elsewhere: it is asked again where that helps, and no message shows the key."""

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from typing import Any, ClassVar

import pytest

from tasks.errors import TrainingError
from tasks.training.sampling.upstream import ATTEMPTS, Upstream, checked_url
from tests.web import answering

GOOD = json.dumps({"choices": [{"message": {"role": "assistant", "content": "[[A]]"}}]})
KEY = "sk-secret"


class Handler(BaseHTTPRequestHandler):
    """Gives the next of `replies`, and the last one from then on."""

    replies: ClassVar[list[tuple[int, str]]] = []
    seen: ClassVar[list[tuple[str, str | None, Any]]] = []

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.seen.append((self.path, self.headers["Authorization"], body))
        status, text = self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]
        self.send_response(status)
        self.send_header("Retry-After", "7" if status == 429 else "soon")
        if status == 302:
            self.send_header("Location", text)
        self.end_headers()
        self.wfile.write(text.encode())

    def do_GET(self) -> None:
        self.seen.append((self.path, self.headers["Authorization"], None))
        self.send_response(200)
        self.end_headers()
        self.wfile.write(GOOD.encode())


@pytest.fixture
def url() -> Iterator[str]:
    Handler.seen.clear()
    with answering(Handler) as address:
        yield f"{address}/v1"


def test_a_reply_is_the_likeliest_answer_of_the_named_model(url: str) -> None:
    Handler.replies = [(200, GOOD)]
    assert Upstream(url=f"{url}/", model="big", key=KEY).reply("Which?") == "[[A]]"
    ((path, key, body),) = Handler.seen
    assert (path, key) == ("/v1/chat/completions", f"Bearer {KEY}")
    assert (body["model"], body["temperature"]) == ("big", 0.0)
    assert body["messages"] == [{"role": "user", "content": "Which?"}]


def test_a_busy_server_is_asked_again_after_as_long_as_it_says(url: str) -> None:
    Handler.replies = [(429, "slowly"), (503, "later"), (200, GOOD)]
    waited: list[float] = []
    assert Upstream(url=url, model="big", sleep=waited.append).reply("Which?") == "[[A]]"
    assert waited == [7.0, 2.0]


@pytest.mark.parametrize(
    ("status", "text", "asked"),
    [(500, "broken", ATTEMPTS), (401, f"the key {KEY} is wrong", 1), (200, "<html>", 1), (200, "{}", 1)],
)
def test_what_does_not_help_is_said_without_the_key(url: str, status: int, text: str, asked: int) -> None:
    Handler.replies = [(status, text)]
    with pytest.raises(TrainingError, match=r"the judge big at .* said: .*correct --url") as error:
        Upstream(url=url, model="big", key=KEY, sleep=lambda _: None).reply("Which?")
    assert len(Handler.seen) == asked
    assert KEY not in str(error.value)


def test_where_it_sends_us_on_to_is_not_given_the_key(url: str) -> None:
    Handler.replies = [(302, f"{url}/elsewhere"), (200, GOOD)]
    assert Upstream(url=url, model="big", key=KEY).reply("Which?") == "[[A]]"
    assert [(path, key) for path, key, _ in Handler.seen] == [
        ("/v1/chat/completions", f"Bearer {KEY}"),
        ("/v1/elsewhere", None),
    ]


def test_nobody_there_is_said() -> None:
    with pytest.raises(TrainingError, match="refused"):
        Upstream(url="http://127.0.0.1:9/v1", model="big", sleep=lambda _: None).reply("Which?")


def test_an_address_is_one_of_http() -> None:
    assert checked_url("https://a/v1") == "https://a/v1"
    with pytest.raises(ValueError, match="'file:///etc' is no address"):
        checked_url("file:///etc")

"""Protects the server from those who come oddly, stay too long, or call it by another name."""

import asyncio
import json
import select
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from deploy.errors import ServeError
from deploy.server.hosts import host_name
from deploy.server.listening import bind
from tests.deploy.engines.scripted import ScriptedEngine
from tests.deploy.server.conftest import ASK, QUESTION, running
from tests.waiting import wait_until

LONG = {**ASK, "max_tokens": 4000}


def test_a_name_that_is_not_the_servers_is_refused_on_every_way(scripted: str) -> None:
    for method, path in (("GET", "/"), ("GET", "/healthz"), ("POST", "/v1/chat/completions")):
        reply = httpx.request(method, f"{scripted}{path}", headers={"Host": "evil.example:8000"}, json=ASK)
        assert reply.status_code == 421
        assert reply.json()["error"]["code"] == "unknown_host"
        assert "serve.allowed_hosts" in reply.json()["error"]["message"]
        assert "Content-Security-Policy" in reply.headers
    for name in ("localhost", "LOCALHOST:1", "127.0.0.1:99"):
        assert httpx.get(f"{scripted}/healthz", headers={"Host": name}).status_code == 200


def test_any_name_will_do_where_the_settings_say_so() -> None:
    with running(ScriptedEngine({}), allowed_hosts=["*"]) as address:
        assert httpx.get(f"{address}/healthz", headers={"Host": "any.example"}).status_code == 200


@pytest.mark.parametrize(
    ("header", "name"),
    [("a.b:80", "a.b"), ("[::1]:80", "::1"), ("[::1]", "::1"), ("::1", "::1"), ("", ""), ("A", "a")],
)
def test_a_host_header_is_read_without_its_port(header: str, name: str) -> None:
    assert host_name(header) == name


@pytest.mark.parametrize(
    "sent", [b"", b"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\n", b"GET / HTTP/1.1\r\nHost:"]
)
def test_a_connection_without_a_whole_request_is_closed(sent: bytes) -> None:
    with running(ScriptedEngine({}), read_seconds=0.3) as address:
        host, port = address.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port)), timeout=20) as connection:
            connection.sendall(sent)
            assert connection.recv(100) == b""


def test_a_byte_now_and_then_gives_no_further_time() -> None:
    with running(ScriptedEngine({}), read_seconds=0.5) as address:
        host, port = address.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port)), timeout=20) as connection:
            connection.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n")
            began = time.monotonic()
            while not select.select([connection], [], [], 0.05)[0]:  # an end can be read, too
                connection.sendall(b"X: 1\r\n")
                assert time.monotonic() - began < 20
            assert connection.recv(100) == b""


def test_an_answer_may_take_longer_than_a_request() -> None:
    engine = ScriptedEngine({QUESTION: "word " * 8}, before_word=lambda _: time.sleep(0.1))
    with running(engine, read_seconds=0.3) as address:
        assert httpx.post(f"{address}/v1/chat/completions", json=ASK, timeout=20).status_code == 200


def test_who_asks_and_reads_nothing_of_the_reply_is_dropped() -> None:
    engine = ScriptedEngine({QUESTION: " ".join(["word" * 5000] * 2000)})
    body = json.dumps({**LONG, "stream": True}).encode()
    head = f"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n"
    with running(engine, read_seconds=0.5) as address:
        host, port = address.removeprefix("http://").split(":")
        with socket.socket() as connection:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            connection.connect((host, int(port)))
            connection.sendall(f"{head}Content-Type: application/json\r\n\r\n".encode() + body)
            under_way = "threeply_requests_running 1.0"
            wait_until(lambda: under_way in httpx.get(f"{address}/metrics").text)
            wait_until(lambda: under_way not in httpx.get(f"{address}/metrics").text)


@pytest.mark.parametrize("stream", [False, True])
def test_what_takes_too_long_is_given_up_and_frees_its_place(stream: bool) -> None:
    spoken: list[str] = []
    engine = ScriptedEngine(
        {QUESTION: "word " * 4000}, before_word=lambda word: (spoken.append(word), time.sleep(0.02))
    )
    with running(engine, deadline_seconds=0.5, max_concurrency=1) as address:
        url = f"{address}/v1/chat/completions"
        reply = httpx.post(url, json={**LONG, "stream": stream}, timeout=20)
        if stream:
            assert '"code": "deadline_exceeded"' in reply.text
            assert "[DONE]" not in reply.text
        else:
            assert reply.status_code == 504
            assert "no whole answer within 0.5 s" in reply.json()["error"]["message"]
        wait_until(lambda: httpx.post(url, json={**ASK, "max_tokens": 1}).status_code == 200)
    assert len(spoken) < 400


def test_a_server_that_is_stopped_lets_answers_end_and_tells_the_others() -> None:
    began = threading.Event()
    engine = ScriptedEngine(
        {QUESTION: "word " * 8, "for long": "word " * 4000},
        before_word=lambda _: (began.set(), time.sleep(0.1)),
    )
    slow = {**LONG, "messages": [{"role": "user", "content": "for long"}]}
    with ThreadPoolExecutor(2) as pool:
        with running(engine, shutdown_seconds=2) as address:
            url = f"{address}/v1/chat/completions"
            short = pool.submit(httpx.post, url, json=ASK, timeout=30)
            long = pool.submit(httpx.post, url, json=slow, timeout=30)
            assert began.wait(20)
            wait_until(lambda: len(engine.asked) == 2)
        assert short.result().status_code == 200
        assert long.result().status_code == 503
        assert long.result().json()["error"]["code"] == "stopping"


def test_what_is_read_can_be_asked_for_by_its_head_alone(scripted: str) -> None:
    for path in ("/", "/healthz", "/v1/models", "/v1/models/sft", "/page/chat.js"):
        reply = httpx.head(f"{scripted}{path}")
        assert (reply.status_code, reply.content) == (200, b"")


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_what_is_written_to_a_connection_leaves_at_once(host: str) -> None:
    """Else the body of each reply waits until the client has acknowledged its head, which takes 40 ms."""

    async def is_sent_at_once() -> bool:
        told = asyncio.get_running_loop().create_future()

        async def opened(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            option = writer.get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
            told.set_result(bool(option))
            writer.close()

        with bind(host, 0) as listener:
            async with await asyncio.start_server(opened, sock=listener):
                _, writer = await asyncio.open_connection(host, listener.getsockname()[1])
                found: bool = await told
                writer.close()
                return found

    assert asyncio.run(is_sent_at_once())


def test_a_second_server_on_a_port_is_told_so_before_the_first_is_ready() -> None:
    with bind("127.0.0.1", 0) as first, pytest.raises(ServeError, match="is taken; end what listens there"):
        bind("127.0.0.1", first.getsockname()[1])


@pytest.mark.parametrize("port", [-1, 65536, 99999])
def test_what_is_no_port_is_named(port: int) -> None:
    with pytest.raises(ServeError, match=rf"{port} is no port: give one of 0 to 65535"):
        bind("127.0.0.1", port)


def test_an_answer_can_be_sent_back_as_clients_write_it(scripted: str) -> None:
    said = {"role": "assistant", "content": "Hello", "refusal": None, "annotations": None, "audio": None}
    before = [{"role": "user", "content": "Hi"}, {**said, "function_call": None, "tool_calls": None}]
    body = {**ASK, "messages": [*before, *ASK["messages"]]}
    reply = httpx.post(f"{scripted}/v1/chat/completions", json=body)
    assert reply.status_code == 200, reply.text
    called = {**before[1], "tool_calls": [{"id": "1"}]}
    refused = httpx.post(
        f"{scripted}/v1/chat/completions", json={**ASK, "messages": [called, *ASK["messages"]]}
    )
    assert refused.status_code == 400


@pytest.mark.parametrize("sampling", [{"temperature": 1e-40}, {"temperature": 1.5, "top_p": 1e-300}])
def test_the_smallest_numbers_take_the_likeliest_token(tiny: str, sampling: dict[str, float]) -> None:
    def text(**given: float) -> str:
        reply = httpx.post(f"{tiny}/v1/chat/completions", json={**ASK, "max_tokens": 5, **given}, timeout=60)
        assert reply.status_code == 200, reply.text
        return str(reply.json()["choices"][0]["message"]["content"])

    assert text(**sampling) == text(temperature=0.0)

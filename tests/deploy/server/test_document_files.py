"""Protects what files the routes on documents read: each is answered from, and what is none is refused."""

import re
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from deploy.documents.reading.formats import SUFFIXES, by_suffix, by_type
from deploy.server.app import PAGE
from tests.conftest import ROOT
from tests.deploy.documents.made import live
from tests.deploy.documents.reading.pdfs import PICTURE, drawn, pdf
from tests.deploy.server.conftest import serving
from tests.deploy.server.knowing import over, sources

GUIDE = pdf([PICTURE, drawn([(24, 700, "A guide"), (11, 600, "The canary sings in the aquarium.")])])


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    """The address of a server whose engine says that source 1 has it."""
    with serving(over(live(tmp_path))) as where:
        yield where


@pytest.mark.parametrize(
    ("kind", "content", "title"),
    [
        ("application/pdf", GUIDE, "A guide"),
        ("Text/HTML", b"<title>Zoo</title><nav>Home</nav><p>The canary sings in the aquarium.", "Zoo"),
        ("text/html; charset=utf-16-le", "<p>The canary sings in the aquarium.".encode("utf-16-le"), "zoo"),
        ("text/markdown", b"# The zoo\n\nThe canary sings in the aquarium.", "The zoo"),
        ('text/plain; a=b; charset="latin-1"', b"The canary sings in the caf\xe9.", "zoo"),
    ],
)
def test_a_file_is_read_answered_from_and_titled(address: str, kind: str, content: bytes, title: str) -> None:
    put = httpx.put(
        f"{address}/v1/documents/zoo", content=content, headers={"Content-Type": kind}, timeout=30
    )
    assert put.status_code == 200, put.text
    assert put.json()["title"] == title
    [hit, *_] = httpx.post(f"{address}/v1/search", json={"query": "canary"}).json()["data"]
    assert (hit["document"], hit["uri"]) == ("zoo", "added:zoo")
    assert "Home" not in hit["text"]
    assert sources(address)[0] == "zoo"


def test_what_was_left_out_of_a_file_is_told(address: str) -> None:
    put = httpx.put(
        f"{address}/v1/documents/zoo", content=GUIDE, headers={"Content-Type": "application/pdf"}, timeout=30
    )
    assert put.json()["notes"] == ["1 of its pages have pictures and no text, maybe scanned: 1"]


@pytest.mark.parametrize(
    ("kind", "content", "status", "message"),
    [
        ("application/pdf", b"no PDF", 400, "it is no whole PDF: its end is missing"),
        ("application/pdf", pdf([PICTURE]), 400, "there is no text in it; it may be scanned"),
        ("application/pdf", pdf([b""], encrypted=True), 400, "it is encrypted"),
        ("text/html", b"<script>go()</script>", 400, "there is no text in it; a page that a script fills"),
        ("text/plain", b"caf\xe9", 400, "it is no text in UTF-8"),
        ("text/markdown", b"---\na: 1\n---\n", 400, "there is no text in it"),
        ("text/plain", b"x" * 65537, 413, "the body is longer than 65536 bytes"),
        (
            "image/png",
            b"x",
            415,
            "Content-Type is image/png; what is read here is one of application/json, text/markdown, "
            "text/x-markdown, text/plain, text/html, application/xhtml+xml, application/pdf",
        ),
        ("", b"x", 415, "Content-Type is missing"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_with_what_to_do(
    address: str, kind: str, content: bytes, status: int, message: str
) -> None:
    reply = httpx.put(
        f"{address}/v1/documents/a",
        content=content,
        headers={"Content-Type": kind} if kind else {},
        timeout=30,
    )
    assert reply.status_code == status
    assert message in reply.json()["error"]["message"]
    assert httpx.get(f"{address}/v1/documents").json()["data"] == []


def test_more_files_than_are_read_at_once_are_sent_away(address: str) -> None:
    """Two that come slowly hold both places; once they are there, the next one is read."""
    go_on = threading.Event()

    def slowly() -> Iterator[bytes]:
        yield b"The canary "
        assert go_on.wait(30)
        yield b"sings."

    def put(name: str, content: Any) -> httpx.Response:
        headers = {"Content-Type": "text/plain"}
        return httpx.put(f"{address}/v1/documents/{name}", content=content, headers=headers, timeout=60)

    def put_slowly(name: str) -> httpx.Response:
        """Again, where the quick one below had the place at that moment."""
        return next(reply for reply in iter(lambda: put(name, slowly()), None) if reply.status_code != 503)

    with ThreadPoolExecutor(2) as pool:
        slow = [pool.submit(put_slowly, name) for name in "ab"]
        waited = (time.sleep(0.1) or put("c", b"A bee.") for _ in range(100))
        busy = next(reply for reply in waited if reply.status_code != 200)
        go_on.set()
        assert [each.result().status_code for each in slow] == [200, 200]
    assert busy.status_code == 503
    assert busy.headers["Retry-After"] == "5"
    assert "2 files are being read" in busy.json()["error"]["message"]
    assert put("d", b"A bee.").status_code == 200


def test_the_page_sends_what_is_read_here() -> None:
    """The endings that it lets choose, and the content types that it sends them with."""
    chosen = re.search(r'accept="([^"]+)"', (PAGE / "index.html").read_text(encoding="utf-8"))
    assert chosen is not None
    assert tuple(chosen[1].split(",")) == SUFFIXES
    script = (PAGE / "files.js").read_text(encoding="utf-8")
    sent = {**dict(re.findall(r'^  (\w+): "([\w/+]+)",$', script, re.MULTILINE)), "txt": "text/plain"}
    assert {f".{name}": by_type(kind) for name, kind in sent.items()} == {
        suffix: by_suffix(Path(f"a{suffix}")) for suffix in SUFFIXES
    }
    largest = re.search(r"LARGEST = ([\d_]+);", script)
    assert largest is not None
    usual = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))["serve"]["max_document_bytes"]
    assert int(largest[1]) == usual

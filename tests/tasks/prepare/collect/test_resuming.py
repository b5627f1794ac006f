"""Protects broken downloads: what came is gone on with, but never put before the rest of another file."""

import hashlib
import random
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import fsspec
import pytest
from fsspec.implementations.memory import MemoryFileSystem

from tasks.errors import ChecksumError, DownloadError
from tasks.prepare.collect.fetching import fetched
from tasks.prepare.collect.resuming import Identity
from tests.web import answering

# Much more than what aiohttp has not handed on when a line breaks: that is lost, some hundred thousand bytes.
STEP = 2_000_000
OLD, NEW = (random.Random(number).randbytes(4 * STEP) for number in (1, 2))
SHA256 = hashlib.sha256(OLD).hexdigest()


@dataclass
class Site:
    """A web server with one file: its marks, what it can, where it breaks off, and what it was asked."""

    content: bytes = OLD
    marks: dict[str, str] = field(default_factory=lambda: {"ETag": '"1"'})
    ranges: bool = True
    believes: bool = True  # gives the rest of a file only if it is still the one that was begun (If-Range)
    told: bytes | None = None  # the file that it speaks of, if that is another one than it gives,
    given: dict[str, str] = field(default_factory=dict)  # and the marks of that one
    wrong: str = ""  # the Content-Range that it gives instead of the right one
    most: list[int] = field(default_factory=list)  # bytes of the next answers, before they break off
    asked: list[str] = field(default_factory=list)  # the ranges, "" for the whole
    address: str = ""


@contextmanager
def serving(site: Site) -> Iterator[Site]:
    class Handler(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self.answer(200, site.content if site.told is None else site.told, body=False)

        def do_GET(self) -> None:
            wanted = self.headers.get("Range", "")
            site.asked.append(wanted)
            same = self.headers.get("If-Range") in (None, *(site.given or site.marks).values())
            if not (wanted and site.ranges and (same or not site.believes)):
                return self.answer(200, site.content)
            start = int(re.findall(r"\d+", wanted)[0])
            if start >= len(site.content):
                return self.answer(416, b"")
            told = site.wrong or f"bytes {start}-{len(site.content) - 1}/{len(site.content)}"
            return self.answer(206, site.content[start:], told=told)

        def answer(self, status: int, content: bytes, *, body: bool = True, told: str = "") -> None:
            self.send_response(status)
            for name, value in {**site.marks, "Content-Length": str(len(content))}.items():
                self.send_header(name, value)
            if told:
                self.send_header("Content-Range", told)
            self.end_headers()
            if body:
                self.wfile.write(content[: site.most.pop(0)] if site.most else content)
                self.close_connection = True

    with answering(Handler) as address:
        site.address = f"{address}/faq.jsonl"
        yield site


@pytest.fixture
def site() -> Iterator[Site]:
    with serving(Site()) as running:
        yield running


def get(url: str, cache: Path, sha256: str | None = None) -> bytes:
    return fetched(url, sha256, cache=cache, sleep=lambda _: None).path.read_bytes()


def broken(site: Site, cache: Path) -> str:
    """A run whose four tries broke off, each a little further; the range of what is left."""
    site.most = [STEP, STEP, 0, STEP]
    with pytest.raises(DownloadError, match="could not be fetched"):
        get(site.address, cache)
    site.asked.clear()
    (half,) = halves(cache)
    return f"bytes={half.stat().st_size}-"


def halves(cache: Path) -> list[Path]:
    return list(cache.rglob("*.incomplete"))


def test_each_try_goes_on_where_the_one_before_broke_off(
    site: Site, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    site.most = [STEP, STEP, 0]
    assert get(site.address, tmp_path) == OLD
    first, *starts = [int(wanted.strip("bytes=-") or 0) for wanted in site.asked]
    assert first == 0 < STEP // 2 < starts[0] <= STEP < starts[1] == starts[2] <= 2 * STEP
    assert f"({starts[2]:,} of them before)" in capsys.readouterr().out
    assert halves(tmp_path) == []


@pytest.mark.parametrize(
    "marks", [{"ETag": '"1"'}, {"Last-Modified": "Mon, 30 Nov 2026 00:00:00 GMT", "ETag": 'W/"1"'}]
)
def test_the_next_run_goes_on_as_well(site: Site, tmp_path: Path, marks: dict[str, str]) -> None:
    site.marks = marks
    rest = broken(site, tmp_path)
    assert get(site.address, tmp_path, SHA256) == OLD
    assert site.asked == [rest]


def test_a_file_that_has_changed_is_begun_anew(site: Site, tmp_path: Path) -> None:
    broken(site, tmp_path)
    site.content, site.marks = NEW, {"ETag": '"2"'}
    assert get(site.address, tmp_path) == NEW
    assert site.asked == [""]
    assert halves(tmp_path) == []


def test_a_file_that_changes_between_two_questions_is_begun_anew(site: Site, tmp_path: Path) -> None:
    """The server tells the old marks, and then gives by If-Range the whole of the new file."""
    rest = broken(site, tmp_path)
    site.told, site.content, site.given = OLD, NEW, {"ETag": '"2"'}
    assert get(site.address, tmp_path) == NEW
    assert site.asked == [rest]


@pytest.mark.parametrize("marks", [{}, {"ETag": 'W/"1"'}])
def test_a_file_that_is_not_told_apart_is_begun_anew(
    site: Site, tmp_path: Path, marks: dict[str, str]
) -> None:
    site.marks = marks
    broken(site, tmp_path)
    site.content = NEW
    assert get(site.address, tmp_path) == NEW
    assert site.asked == [""]


def test_a_server_without_ranges_gives_the_whole_file(site: Site, tmp_path: Path) -> None:
    site.ranges = False
    rest = broken(site, tmp_path)
    assert get(site.address, tmp_path) == OLD
    assert site.asked == [rest]


@pytest.mark.parametrize("wrong", ["bytes 7-8/9", "nonsense"])
def test_another_part_than_was_asked_for_is_not_taken(site: Site, tmp_path: Path, wrong: str) -> None:
    rest = broken(site, tmp_path)
    site.wrong = wrong
    assert get(site.address, tmp_path) == OLD
    assert site.asked == [rest, ""]


def test_a_part_that_is_not_there_is_not_asked_for_again(site: Site, tmp_path: Path) -> None:
    """The server speaks of a longer file than it has."""
    rest = broken(site, tmp_path)
    site.told, site.content, site.believes = OLD, OLD[:10], False
    with pytest.raises(DownloadError, match="it broke off after 10 of"):
        get(site.address, tmp_path)
    assert site.asked[:2] == [rest, ""]


def test_a_whole_file_that_was_not_put_into_its_place_is_not_fetched_again(
    site: Site, tmp_path: Path
) -> None:
    broken(site, tmp_path)
    (half,) = halves(tmp_path)
    half.write_bytes(OLD)
    assert get(site.address, tmp_path) == OLD
    assert site.asked == []


def test_halves_that_make_another_file_than_is_named_are_thrown_away(site: Site, tmp_path: Path) -> None:
    broken(site, tmp_path)
    (half,) = halves(tmp_path)
    half.write_bytes(NEW[:STEP])
    with pytest.raises(ChecksumError):
        get(site.address, tmp_path, SHA256)
    assert halves(tmp_path) == []
    assert get(site.address, tmp_path, SHA256) == OLD


def test_two_at_once_fetch_it_once(site: Site, tmp_path: Path) -> None:
    found: list[bytes] = []
    both = [threading.Thread(target=lambda: found.append(get(site.address, tmp_path))) for _ in range(2)]
    for thread in both:
        thread.start()
    for thread in both:
        thread.join()
    assert (found, site.asked) == ([OLD, OLD], [""])


def test_a_file_of_this_machine_has_an_address_too(tmp_path: Path) -> None:
    source = tmp_path / "faq.jsonl"
    source.write_bytes(OLD)
    assert get(source.as_uri(), tmp_path / "cache") == OLD
    source.write_bytes(NEW + OLD)
    assert get(source.as_uri(), tmp_path / "cache") == NEW + OLD
    with pytest.raises(DownloadError, match=r"file:///nowhere/faq\.jsonl could not be fetched"):
        get("file:///nowhere/faq.jsonl", tmp_path / "cache")
    with pytest.raises(DownloadError, match="Is a directory"):
        get(tmp_path.as_uri(), tmp_path / "cache")


class _Flaky(MemoryFileSystem):
    """A storage, no web server, whose connections break."""

    protocol = "flaky"
    store: dict[str, Any] = {}  # noqa: RUF012  # as the class above has it
    read: list[int] = []  # noqa: RUF012

    @classmethod
    def _strip_protocol(cls, path: str) -> str:
        return str(super()._strip_protocol(path.removeprefix("flaky://")))

    def _open(self, path: str, *words: Any, **more: Any) -> Any:
        file = super()._open(path, *words, **more)

        def read(size: int = -1) -> bytes:
            self.read.append(file.tell())
            if len(self.read) == 2:
                raise OSError("the line is dead")
            return bytes(file.getbuffer()[file.tell() : file.seek(min(file.tell() + size, file.size))])

        file.read = read
        return file


def test_storages_are_gone_on_with_where_they_broke_off(tmp_path: Path) -> None:
    fsspec.register_implementation("flaky", _Flaky, clobber=True)
    _Flaky().pipe_file("/faq.jsonl", OLD)
    _Flaky.read.clear()
    assert get("flaky://faq.jsonl", tmp_path) == OLD
    assert _Flaky.read[:3] == [0, 2**16, 2**16]
    assert get("flaky://faq.jsonl", tmp_path) == OLD
    assert _Flaky.read.count(0) == 1


def test_memory_is_a_storage(tmp_path: Path) -> None:
    fsspec.filesystem("memory").pipe_file("/test_resuming.jsonl", OLD)
    assert get("memory://test_resuming.jsonl", tmp_path) == OLD


def test_what_is_strong_enough_to_go_on_with() -> None:
    strong = {"etag": "ab"}, {"mtime": "1.5"}, {"ETag": 'W/"1"', "Last-Modified": "Mon"}
    assert all(Identity(marks=marks, size=1).strong for marks in strong)
    assert not any(Identity(marks=marks, size=1).strong for marks in ({}, {"ETag": 'W/"1"'}))
    assert not Identity(marks={"ETag": '"1"'}, size=None).strong

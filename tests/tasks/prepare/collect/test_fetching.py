"""Protects files at addresses: fetched once while they stay the same, whole or not at all, no secret told."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import fsspec
import pytest
from fsspec.implementations.memory import MemoryFileSystem
from pydantic import ValidationError

from deploy.files import sha256_of, text_sha256
from tasks.errors import ChecksumError, DownloadError, SourceError
from tasks.prepare.collect.addressed import read_url
from tasks.prepare.collect.fetching import TRIES, fetched
from tasks.prepare.collect.pieces import in_memory
from tasks.prepare.collect_settings import UrlSource
from tests.web import answering

FIRST = '{"prompt": "Why?", "completion": "Because."}\n'
SECOND = FIRST + '{"prompt": "Who?", "completion": "She."}\nbroken\n'


@dataclass
class Site:
    """A web server with one file: what it says of it, how it misbehaves, and what it was asked."""

    address: str = ""
    content: str = FIRST
    mark: str | None = '"1"'
    status: list[int] = field(default_factory=list)  # of the next answers, before it is well again
    cut: int = 0  # so many of the next answers end half way
    asked: list[str] = field(default_factory=list)

    @property
    def gets(self) -> int:
        """How often the file itself was asked for."""
        return sum(each.startswith("GET") for each in self.asked)


@pytest.fixture
def site() -> Iterator[Site]:
    with serving(Site()) as running:
        yield running


@contextmanager
def serving(site: Site) -> Iterator[Site]:
    """Serve the site here until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self.answer(body=False)

        def do_GET(self) -> None:
            self.answer(body=True)

        def answer(self, *, body: bool) -> None:
            site.asked.append(f"{self.command} {self.path}")
            status = site.status.pop(0) if site.status else 200
            content = site.content.encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            if site.mark:
                self.send_header("ETag", site.mark)
            self.end_headers()
            if body and site.cut:
                site.cut -= 1
                content = content[: len(content) // 2]
            if body:
                self.wfile.write(content)

    with answering(Handler) as address:
        site.address = address
        yield site


def get(site: Site, cache: Path, *, sha256: str | None = None, path: str = "/faq.jsonl") -> Path:
    waited: list[float] = []
    return fetched(f"{site.address}{path}", sha256, cache=cache, sleep=waited.append).path


def test_a_file_that_stays_the_same_is_fetched_once(site: Site, tmp_path: Path) -> None:
    one = get(site, tmp_path)
    assert one.read_text() == FIRST
    assert get(site, tmp_path) == one
    assert site.gets == 1
    site.content, site.mark = SECOND, '"2"'
    assert get(site, tmp_path).read_text() == SECOND
    assert site.gets == 2


@pytest.mark.parametrize("path", ["/note.json", "/..", "/a/%2e%2e", "/" + "x" * 300 + ".jsonl"])
def test_no_address_leads_out_of_its_own_folder(site: Site, tmp_path: Path, path: str) -> None:
    copies = {get(site, tmp_path / "cache", path=path), get(site, tmp_path / "cache", path=path)}
    (copy,) = copies
    assert copy.resolve().is_relative_to((tmp_path / "cache/sources").resolve())
    assert copy.read_text() == FIRST


def test_a_file_that_does_not_say_whether_it_is_the_same_is_fetched_anew(site: Site, tmp_path: Path) -> None:
    site.mark = None
    get(site, tmp_path)
    get(site, tmp_path)
    assert site.gets == 2


def test_a_copy_that_was_changed_or_lost_its_note_is_fetched_anew(site: Site, tmp_path: Path) -> None:
    copy = get(site, tmp_path)
    copy.write_text("other")
    assert get(site, tmp_path).read_text() == FIRST
    (copy.parents[1] / "note.json").write_text("{")
    assert get(site, tmp_path).read_text() == FIRST
    assert site.gets == 3


def test_with_a_checksum_nobody_is_asked_again_and_another_file_is_refused(
    site: Site, tmp_path: Path
) -> None:
    right = text_sha256(FIRST)
    get(site, tmp_path, sha256=right)
    site.asked.clear()
    get(site, tmp_path, sha256=right)
    assert site.asked == []
    with pytest.raises(ChecksumError, match=f"has the sha256 {right}, and params.yaml names {'0' * 64}"):
        get(site, tmp_path / "other", sha256="0" * 64)
    left = [path.name for path in (tmp_path / "other").rglob("*") if path.is_file()]
    assert left == []


def test_what_passes_is_tried_again(site: Site, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    site.status = [503, 503]  # to HEAD, and to the GET that fsspec tries then
    site.cut = 1
    assert get(site, tmp_path).read_text() == FIRST
    said = capsys.readouterr().out
    assert "503 Service Unavailable; once more in 1 s" in said


def test_what_breaks_off_each_time_leaves_no_copy(site: Site, tmp_path: Path) -> None:
    site.cut = 100
    with pytest.raises(DownloadError, match=r"could not be fetched .*kind: file"):
        get(site, tmp_path)
    assert site.gets == TRIES
    left = [path.name for path in tmp_path.rglob("*") if path.is_file()]
    assert [name.partition("-")[2] for name in left] == ["faq.jsonl.incomplete"]


def test_an_old_copy_stays_whole_where_the_new_one_breaks_off(site: Site, tmp_path: Path) -> None:
    copy = get(site, tmp_path)
    site.content, site.mark, site.cut = SECOND, '"2"', 100
    with pytest.raises(DownloadError):
        get(site, tmp_path)
    assert copy.read_text() == FIRST
    site.cut = 0
    assert get(site, tmp_path).read_text() == SECOND


def test_what_is_not_there_is_told_at_once_and_without_the_key_in_its_query(
    site: Site, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    site.status = [404] * 9
    with pytest.raises(DownloadError) as caught:
        get(site, tmp_path, path="/faq.jsonl?token=hidden")
    assert str(caught.value).startswith(f"{site.address}/faq.jsonl could not be fetched (404 Not Found)")
    assert len(site.asked) == 2  # HEAD, and the GET that fsspec tries then
    with pytest.raises(DownloadError) as caught:
        get(Site(address="http://127.0.0.1:1"), tmp_path, path="/faq.jsonl?token=hidden")
    assert "hidden" not in str(caught.value) + capsys.readouterr().out


def test_a_storage_that_nothing_here_knows_is_told(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"s3://bucket/faq\.jsonl cannot be reached: Install s3fs"):
        fetched("s3://bucket/faq.jsonl", None, cache=tmp_path)


def test_what_the_client_of_a_storage_calls_an_error_is_told_after_some_tries(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """As botocore does, whose errors are none of the system's."""
    error = type("EndpointConnectionError", (Exception,), {"__module__": "botocore.exceptions"})

    class Unreachable(MemoryFileSystem):
        protocol = "unreachable"

        def info(self, path: str, **_: Any) -> Any:
            raise error if path.endswith("gone.jsonl") else KeyError("a mistake of ours")

    fsspec.register_implementation("unreachable", Unreachable, clobber=True)
    with pytest.raises(DownloadError, match=r"unreachable://gone.jsonl could not .*EndpointConnectionError"):
        fetched("unreachable://gone.jsonl", None, cache=tmp_path, sleep=lambda _: None)
    assert capsys.readouterr().out.count("once more") == TRIES - 1
    with pytest.raises(KeyError):
        fetched("unreachable://other.jsonl", None, cache=tmp_path, sleep=lambda _: None)


def test_rows_are_those_of_the_address_and_the_report_says_which_file_it_was(
    site: Site, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    site.content = SECOND
    source = UrlSource(kind="url", url=f"{site.address}/faq.jsonl?token=hidden", sha256=None)
    found = in_memory(read_url(source, cache=tmp_path))
    address = f"{site.address}/faq.jsonl"
    assert {row.source for row in (*found.rows.examples, *found.dropped)} == {address}
    assert [(row.reason, row.detail[:6]) for row in found.dropped] == [("broken_json", "line 3")]
    assert (found.figures["url"], found.figures["sha256"]) == (address, text_sha256(SECOND))
    assert sha256_of(next(tmp_path.rglob("faq.jsonl"))) == text_sha256(SECOND)
    said = capsys.readouterr().out
    assert "DVC does not notice when it changes" in said
    assert "hidden" not in said


@pytest.mark.parametrize(
    "url", ["faq.jsonl", "https://", "simplecache::https://a/b", "https://me:secret@host/faq.jsonl"]
)
def test_addresses_that_name_no_file_or_hold_a_password_are_refused(url: str) -> None:
    with pytest.raises(ValidationError) as caught:
        UrlSource(kind="url", url=url, sha256=None)
    assert "secret" not in caught.value.errors()[0]["msg"]

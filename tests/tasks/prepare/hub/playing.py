"""A hub of one repository, for tests: a web server here that the real client takes for the hub."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest

from tests.web import answering

FIRST, SECOND = "a" * 40, "b" * 40
SMALL = 2**12  # bytes up to which a file is one of git, and not a large one with a sha256


@dataclass
class Hub:
    """What it holds at each commit and where its branches are, how it misbehaves, and what it was asked."""

    name: str
    kind: str = "datasets"
    commits: dict[str, dict[str, bytes]] = field(default_factory=dict)
    branches: dict[str, str] = field(default_factory=lambda: {"main": FIRST})
    refuse: dict[str, tuple[int, str]] = field(default_factory=dict)  # by the start of a path
    cut: int = 0  # so many of the next answers with a large file end half way
    asked: list[str] = field(default_factory=list)
    ranges: list[str] = field(default_factory=list)
    tokens: set[str | None] = field(default_factory=set)
    agents: set[str] = field(default_factory=set)
    address: str = ""


def _of_git(content: bytes) -> str:
    return hashlib.sha1(f"blob {len(content)}\0".encode() + content).hexdigest()


def _listing(hub: Hub, commit: str) -> bytes:
    siblings: list[Mapping[str, Any]] = []
    for name, content in hub.commits[commit].items():
        told: dict[str, Any] = {"rfilename": name, "size": len(content), "blobId": _of_git(content)}
        if len(content) > SMALL:
            sha256 = hashlib.sha256(content).hexdigest()
            told["lfs"] = {"size": len(content), "sha256": sha256, "pointerSize": 130}
        siblings.append(told)
    return json.dumps({"id": hub.name, "sha": commit, "siblings": siblings}).encode()


@contextmanager
def playing(hub: Hub, home: Path) -> Iterator[Hub]:
    """Play the hub until the block ends; the client keeps what it keeps below `home`."""

    class Handler(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self.do_GET()

        def do_GET(self) -> None:
            path = unquote(urlsplit(self.path).path)
            hub.asked.append(f"{self.command} {path}")
            hub.tokens.add(self.headers.get("Authorization"))
            hub.agents.add(self.headers.get("User-Agent", ""))
            for start, (status, code) in hub.refuse.items():
                if path.startswith(start):
                    return self.answer(b"", status, {"X-Error-Code": code})
            listed = f"/api/{hub.kind}/{hub.name}/revision/"
            held = ("" if hub.kind == "models" else f"/{hub.kind}") + f"/{hub.name}/resolve/"
            if path.startswith(listed):
                commit = self.commit(path.removeprefix(listed))
                if commit is None:
                    return self.answer(b"", 404, {"X-Error-Code": "RevisionNotFound"})
                return self.answer(_listing(hub, commit), 200, {"Content-Type": "application/json"})
            if path.startswith(held):
                commit, _, name = path.removeprefix(held).partition("/")
                if content := hub.commits.get(commit, {}).get(name):
                    return self.file(content, commit)
                return self.answer(b"", 404, {"X-Error-Code": "EntryNotFound"})
            return self.answer(b"", 404, {"X-Error-Code": "RepoNotFound"})

        def commit(self, revision: str) -> str | None:
            found = hub.branches.get(revision, revision)
            return found if found in hub.commits else None

        def file(self, content: bytes, commit: str) -> None:
            mark = _of_git(content) if len(content) <= SMALL else hashlib.sha256(content).hexdigest()
            headers = {"ETag": f'"{mark}"', "X-Repo-Commit": commit, "Accept-Ranges": "bytes"}
            status, start = 200, 0
            if wanted := self.headers.get("Range"):
                hub.ranges.append(wanted)
                start, status = int(wanted.removeprefix("bytes=").partition("-")[0]), 206
                headers["Content-Range"] = f"bytes {start}-{len(content) - 1}/{len(content)}"
            self.answer(content[start:], status, headers)

        def answer(self, body: bytes, status: int, headers: dict[str, str]) -> None:
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            if self.command == "HEAD":
                return
            if hub.cut and len(body) > SMALL:
                hub.cut -= 1
                body = body[: len(body) // 2]
                self.close_connection = True
            self.wfile.write(body)

    with answering(Handler) as address, pytest.MonkeyPatch.context() as patched:
        hub.address = address
        patched.setenv("HF_ENDPOINT", address)
        patched.setenv("HF_HOME", str(home))
        patched.setenv("HF_HUB_OFFLINE", "1")  # as every stage runs
        patched.delenv("HF_TOKEN", raising=False)
        yield hub

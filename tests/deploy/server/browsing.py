"""A real browser for tests of the page: what goes wrong in it, and what it sends, is heard."""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Literal

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, ConsoleMessage, Page, Request

BROWSERS = ("chromium", "chromium-browser", "chromium-headless-shell", "google-chrome")


@contextmanager
def chromium() -> "Iterator[Browser]":
    """A headless Chromium; without one the tests that ask for it are skipped."""
    playwright = pytest.importorskip("playwright.sync_api", reason="needs: pip install playwright")
    path = next(filter(None, map(shutil.which, BROWSERS)), None)
    if path is None:
        pytest.skip(f"needs a Chromium; none of these is a command here: {', '.join(BROWSERS)}")
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=path)
        yield browser
        browser.close()


@contextmanager
def looking(
    browser: "Browser",
    address: str,
    path: str = "/",
    *,
    width: int = 1280,
    height: int = 800,
    ready: str = "#models label",
    scheme: Literal["light", "dark"] = "light",
) -> "Iterator[Page]":
    """The page at `path` of `address`, once what `ready` names is there, for a person who likes a `scheme`.

    Fails at the end if it has asked others, or done what its headers forbid.
    """
    page = browser.new_page(viewport={"width": width, "height": height}, color_scheme=scheme)
    page.set_default_timeout(20_000)
    faults = complaints(page)
    addresses: list[str] = []
    page.on("request", lambda request: addresses.append(request.url))
    try:
        page.goto(f"{address}{path}")
        page.locator(ready).first.wait_for()
        yield page
        page.title()  # what the browser has said meanwhile is heard during a call
        assert faults == []
        assert addresses
        assert [url for url in addresses if not url.startswith(f"{address}/")] == []
    finally:
        page.close()


def complaints(page: "Page") -> list[str]:
    """What the browser says about scripts that fail and about the headers' rules, as it comes."""
    said: list[str] = []

    def note(told: "ConsoleMessage") -> None:
        if "Content Security" in told.text:
            said.append(told.text)

    page.on("pageerror", lambda error: said.append(error.message))
    page.on("console", note)
    return said


def requests(page: "Page") -> list[list[str]]:
    """What each request for an answer sends as its messages, as it comes."""
    sent: list[list[str]] = []

    def note(request: "Request") -> None:
        if request.post_data and request.url.endswith("/v1/chat/completions"):
            sent.append([message["content"] for message in json.loads(request.post_data)["messages"]])

    page.on("request", note)
    return sent


def ask(page: "Page", question: str) -> None:
    """Ask, and wait for the end of the answer."""
    turns = page.locator(".turn").count()
    page.fill("#question", question)
    page.press("#question", "Enter")
    page.locator(".turn").nth(turns).locator(".answer:not(.writing)").wait_for()


def last(page: "Page", part: str) -> str:
    """What is to be read in this part of the last turn."""
    return page.locator(".turn").last.locator(part).inner_text()

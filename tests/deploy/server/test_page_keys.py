"""Protects the page's form for a key, in a real browser, as `test_page` does."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from deploy.server.keys import new_key, write_keys
from tests.deploy.documents.made import live
from tests.deploy.engines.scripted import ScriptedEngine
from tests.deploy.server.browsing import last, looking
from tests.deploy.server.conftest import running, serving
from tests.deploy.server.drawer import WHERE, ZOO, choose, file, trouble
from tests.deploy.server.knowing import over

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page


def ask_aside(page: "Page") -> None:
    """Ask, without waiting for an answer."""
    page.fill("#question", WHERE)
    page.press("#question", "Enter")


def give(page: "Page", secret: str) -> None:
    """Put a key into the form."""
    page.locator("#secret").wait_for()
    page.fill("#secret", secret)
    page.press("#secret", "Enter")


def test_a_key_is_asked_for_tried_and_forgotten(browser: "Browser", tmp_path: Path) -> None:
    secret, key = new_key("anna", "read")
    write_keys(tmp_path / "keys.json", [key])
    with (
        serving(over(live(tmp_path)), keys=str(tmp_path / "keys.json")) as address,
        looking(browser, address) as page,
    ):
        assert not page.locator("#key").is_visible()  # until something needs it
        ask_aside(page)
        page.get_by_role("heading", name="This server needs a key").wait_for()
        give(page, "tp-wrong\u00e9")
        page.get_by_text("The key was refused: send a key of this server").wait_for()
        give(page, f" {secret} ")
        page.locator(".figures").wait_for()
        assert last(page, ".text") == "In the aquarium 1."
        page.click("#documents")
        page.get_by_text("The bundle has 4 documents.").wait_for()
        choose(page, file("zoo.md", ZOO))
        assert trouble(page) == "zoo.md: the key anna may read, and this needs write"
        page.click("#close")
        kept: dict[str, Any] = page.evaluate(
            "() => ({ local: localStorage.length, tab: Object.values(sessionStorage) })"
        )
        assert kept == {"local": 0, "tab": [secret]}
        assert secret not in page.content()
        assert page.input_value("#secret") == ""
        page.click("#forget")
        page.locator("#secret").wait_for()
        assert page.evaluate("sessionStorage.length") == 0
        page.keyboard.press("Escape")
        assert not page.locator("#forget").is_visible()


def test_without_a_key_the_question_comes_back(browser: "Browser", tmp_path: Path) -> None:
    write_keys(tmp_path / "keys.json", [new_key("anna", "read")[1]])
    with (
        running(ScriptedEngine({}), keys=str(tmp_path / "keys.json")) as address,
        looking(browser, address) as page,
    ):
        ask_aside(page)
        page.locator("#secret").wait_for()
        page.keyboard.press("Escape")
        page.locator(".wrong").wait_for()
        assert "Send a key of this server" in last(page, ".wrong").capitalize()
        assert page.input_value("#question") == WHERE

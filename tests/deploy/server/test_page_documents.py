"""Protects the page's drawer of documents, in a real browser, as `test_page` does."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest

from deploy.assistant import Assistant
from deploy.prompts.template import load_template
from tests.deploy.documents.made import STORED, live, text
from tests.deploy.documents.reading.pdfs import PICTURE, drawn, pdf
from tests.deploy.engines.scripted import ScriptedEngine
from tests.deploy.server.browsing import ask, looking
from tests.deploy.server.conftest import serving
from tests.deploy.server.drawer import WHERE, ZOO, choose, done, file, trouble
from tests.deploy.server.knowing import USUAL, over

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

GUIDE = pdf([drawn([(24, 700, "A guide to the zoo"), (11, 600, "The canary sings in the aquarium.")])])
HTML = "<img src=x onerror=alert(1)>"


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    with serving(over(live(tmp_path))) as where:
        yield where


def changes(page: "Page") -> list[str]:
    """The requests that change documents, as they come."""
    sent: list[str] = []
    page.on("request", lambda made: sent.append(made.method) if made.method in ("PUT", "DELETE") else None)
    return sent


def refusals(page: "Page") -> list[str]:
    """What the server refuses, as it comes."""
    found: list[str] = []
    page.on("response", lambda reply: found.append(reply.url) if reply.status >= 400 else None)
    return found


def shown(page: "Page") -> list[str]:
    """The titles of the sources of an answer to `WHERE`."""
    ask(page, WHERE)
    return page.locator(".turn").last.locator(".sources .title").all_inner_texts()


def test_a_chosen_file_is_asked_about_replaced_and_deleted(browser: "Browser", address: str) -> None:
    with looking(browser, address, width=390, height=844) as page:
        page.click("#documents")
        page.get_by_text("The bundle has 4 documents.").wait_for()
        choose(page, file("zoo (1) %.md", ZOO))
        done(page, "Added zoo (1) %.md: 2 passages. Ask about it.")
        assert page.locator("#added li strong").all_inner_texts() == ["The zoo"]
        assert page.locator("#added li .faint").inner_text() == "zoo (1) %.md, 2 passages"
        assert page.evaluate("document.documentElement.scrollWidth") == 390
        page.keyboard.press("Escape")
        assert page.evaluate("document.activeElement.id") == "documents"
        assert shown(page)[0] == "The zoo"
        page.click("#documents")
        choose(page, file("zoo (1) %.md", b"The canary sings at the station."), file("b.txt", b"A bee."))
        done(page, "Replaced zoo (1) %.md: 1 passage. Added b.txt: 1 passage. Ask about them.")
        page.get_by_role("button", name="Delete zoo (1) %.md").click()
        page.get_by_role("button", name="Really delete? zoo (1) %.md").click()
        done(page, "Deleted zoo (1) %.md.")
        assert page.locator("#added li strong").all_inner_texts() == ["b.txt"]
        page.click("#close")
        assert not {"The zoo", "zoo (1) %.md"} & set(shown(page))


def test_questions_are_kept_to_documents_with_what_is_chosen(browser: "Browser", tmp_path: Path) -> None:
    documents = [
        text("kiln", "The canary of the kiln.", product="kiln", year="2026"),
        text("press", "The canary of the press.", product="press"),
        *STORED,
    ]
    made = over(live(tmp_path, documents, ("product", "year")))
    with serving(made) as address, looking(browser, address, width=390, height=844) as page:
        assert not page.locator("#narrowed").is_visible()
        page.click("#documents")
        product = page.get_by_label("product")
        assert product.locator("option").all_inner_texts() == ["all", "kiln", "press"]
        product.select_option("press")
        page.click("#close")
        assert page.locator("#narrowed").inner_text() == "Only product press"
        assert page.evaluate("document.documentElement.scrollWidth") == 390
        assert shown(page) == ["press"]
        page.select_option("#beside", "without prompt")
        page.click("#documents")
        assert product.input_value() == "press"  # it stays when the list is read again
        product.select_option("")
        page.get_by_label("year").select_option("2026")
        page.click("#close")
        ask(page, WHERE)
        page.select_option("#beside", "")
        assert shown(page) == ["kiln"]


@pytest.mark.parametrize(
    ("name", "content", "told", "source"),
    [
        ("zoo.md", ZOO, "Added zoo.md: 2 passages.", "The zoo"),
        ("Guide.PDF", GUIDE, "Added Guide.PDF: 1 passage.", "A guide to the zoo"),
        ("zoo.html", b"<title>Zoo</title><p>The canary sings.", "Added zoo.html: 1 passage.", "Zoo"),
    ],
)
def test_a_dropped_file_is_added_and_answered_from(
    browser: "Browser", address: str, name: str, content: bytes, told: str, source: str
) -> None:
    with looking(browser, address) as page:
        dragged = page.evaluate_handle(
            """([name, bytes]) => {
                const dragged = new DataTransfer();
                dragged.items.add(new File([new Uint8Array(bytes)], name));
                return dragged;
            }""",
            [name, list(content)],
        )
        for over, seen in (("dragover", True), ("dragleave", False), ("dragover", True)):
            page.dispatch_event("#talk", over, {"dataTransfer": dragged})
            assert page.locator("#drop").is_visible() == seen
        page.dispatch_event("#talk", "drop", {"dataTransfer": dragged})
        done(page, f"{told} Ask about it.")
        assert not page.locator("#drop").is_visible()
        page.click("#close")
        assert shown(page)[0] == source


def test_what_was_left_out_of_a_pdf_is_told(browser: "Browser", address: str) -> None:
    with looking(browser, address) as page:
        page.click("#documents")
        choose(page, file("guide.pdf", pdf([PICTURE, drawn([(11, 600, "The canary sings.")])])))
        done(page, "Added guide.pdf: 1 passage. Ask about it.")
        told = "guide.pdf: 1 of its pages have pictures and no text, maybe scanned: 1"
        assert trouble(page) == told


def test_deleting_is_taken_back_by_escape_and_by_going_on(browser: "Browser", address: str) -> None:
    httpx.put(f"{address}/v1/documents/zoo.md", json={"text": "The canary sings."}).raise_for_status()
    with looking(browser, address) as page:
        sent = changes(page)
        page.click("#documents")
        button = page.locator("#added button")
        for leave in ("Escape", "Tab"):
            button.click()
            assert button.inner_text() == "Really delete?"
            page.keyboard.press(leave)
            assert button.inner_text() == "Delete"
            assert page.locator("#drawer").is_visible()
        page.mouse.click(20, 400)
        page.locator("#drawer").wait_for(state="hidden")
        assert sent == []


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("a.md", b"caf\xe9", "it is no text in UTF-8; if it is text, save it as UTF-8"),
        ("a.docx", b"PK\x03\x04\x00", "it is no text: it holds a NUL"),
        ("a.txt", b" \n", "it is empty"),
        ("a.pdf", b"%PDF", "it is no whole PDF: its end is missing; get it anew"),
    ],
)
def test_a_file_that_is_no_text_is_refused(
    browser: "Browser", scripted_documents: str, name: str, content: bytes, told: str
) -> None:
    with looking(browser, scripted_documents) as page:
        page.click("#documents")
        choose(page, file(name, content))
        assert trouble(page) == f"{name}: {told}"
        assert page.locator("#done").inner_text() == ""


def test_a_file_that_is_too_large_is_refused_unsent(browser: "Browser", scripted_documents: str) -> None:
    with looking(browser, scripted_documents) as page:
        told = page.evaluate(
            """() => import("/page/files.js")
                .then((files) => files.read({ name: "a.pdf", size: 20_971_521 }))
                .catch((error) => error.message)"""
        )
        assert told == "this is too large: it has 21 MiB, and 20 MiB are allowed"


@pytest.fixture(scope="module")
def scripted_documents(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a server whose documents are not changed."""
    knowledge = live(tmp_path_factory.mktemp("documents"))
    with serving(Assistant(ScriptedEngine({}), knowledge, load_template("assistant"), USUAL)) as where:
        yield where


def test_what_the_server_refuses_is_shown_and_the_next_file_is_added(
    browser: "Browser", address: str
) -> None:
    with looking(browser, address) as page:
        page.click("#documents")
        choose(page, file("long.md", b"word " * 14_000), file("zoo.md", ZOO))
        done(page, "Added zoo.md: 2 passages. Ask about it.")
        assert trouble(page) == "long.md: the body is longer than 65536 bytes"
        choose(page, file("b.txt", b"A bee."))
        done(page, "Added b.txt: 1 passage. Ask about it.")
        assert page.locator("#troubles").inner_text() == ""


def test_a_title_that_looks_like_html_stays_text(browser: "Browser", address: str) -> None:
    with looking(browser, address) as page:
        page.click("#documents")
        choose(page, file("a<b>.md", f"# {HTML}\n\nThe canary sings.".encode()))
        done(page, "Added a<b>.md: 1 passage. Ask about it.")
        assert page.locator("#added strong").inner_text() == HTML
        assert page.locator("dialog img, dialog b").count() == 0
        page.click("#close")
        assert shown(page)[0] == HTML


def test_where_documents_are_fixed_there_is_no_button(browser: "Browser", scripted: str) -> None:
    with looking(browser, scripted) as page:
        assert not page.locator("#documents").is_visible()
        dragged = page.evaluate_handle(
            """() => {
                const dragged = new DataTransfer();
                dragged.items.add(new File(["# A"], "a.md"));
                return dragged;
            }"""
        )
        page.dispatch_event("#talk", "dragover", {"dataTransfer": dragged})
        assert not page.locator("#drop").is_visible()


def test_nothing_is_asked_for_in_vain(browser: "Browser", scripted: str, scripted_documents: str) -> None:
    for address in (scripted, scripted_documents):
        with looking(browser, address) as page:
            refused = refusals(page)
            page.reload()
            page.locator("#models label").first.wait_for()
            ask(page, "C?")
        assert refused == []

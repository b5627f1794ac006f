"""Protects the page's thumbs and its comparison of two answers, in a real browser, as `test_page` does."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.deploy.engines.scripted import ScriptedEngine
from tests.deploy.feedback.made import kept
from tests.deploy.server.browsing import ask, last, looking
from tests.deploy.server.conftest import QUESTION, running
from tests.waiting import wait_until

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator, Page, Request, Route

ANSWERS = {QUESTION: "It is `1.0` [1].", "And `nu`?": "It is `0.5` [2]."}
HTML = "<img src=x onerror=alert(1)>"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the ratings are kept."""
    return tmp_path / "feedback"


@pytest.fixture
def address(folder: Path) -> Iterator[str]:
    with running(ScriptedEngine(ANSWERS), feedback=str(folder)) as where:
        yield where


def said(row: "Locator", words: str) -> None:
    """Wait until the line beside the thumbs says so."""
    row.locator("[role=status]").filter(has_text=words).wait_for()


def pressed(row: "Locator") -> list[bool]:
    """Which of the two thumbs are pressed: up, down."""
    return [thumb.get_attribute("aria-pressed") == "true" for thumb in row.locator(".thumb").all()]


def choices(page: "Page") -> list[dict[str, Any]]:
    """The model, layers and messages of each request for an answer, as it comes."""
    sent: list[dict[str, Any]] = []

    def note(request: "Request") -> None:
        if request.post_data and request.url.endswith("/v1/chat/completions"):
            body = json.loads(request.post_data)
            sent.append({"model": body["model"], **body["threeply"]["layers"], "messages": body["messages"]})

    page.on("request", note)
    return sent


def compare(page: "Page", question: str, way: str) -> "Locator":
    """Ask with a comparison; the two answers, once both have ended."""
    page.select_option("#beside", way)
    turns = page.locator(".turn").count()
    page.fill("#question", question)
    page.press("#question", "Enter")
    turn = page.locator(".turn").nth(turns)
    turn.locator(".figures").nth(1).wait_for()
    return turn.locator(".answer")


def test_an_answer_is_rated_rated_anew_corrected_and_taken_back(
    browser: "Browser", address: str, folder: Path
) -> None:
    with looking(browser, address) as page:
        ask(page, QUESTION)
        row = page.locator(".rating")
        up, down = row.get_by_role("button", name="Good answer"), row.get_by_role("button", name="Bad answer")
        assert pressed(row) == [False, False]
        up.click()
        said(row, "Thank you.")
        assert pressed(row) == [True, False]
        assert [(each.rating, each.answer.text) for each in kept(folder)] == [("up", ANSWERS[QUESTION])]
        assert not row.locator("textarea").is_visible()
        down.click()
        row.get_by_label("What would be right?").wait_for()
        assert pressed(row) == [False, True]
        assert [(each.rating, each.better) for each in kept(folder)] == [("down", None)]
        row.get_by_role("button", name="Send").click()
        said(row, "Say what would be right")
        row.get_by_label("What would be right?").fill(f" {HTML} 1.0 ")
        row.get_by_role("button", name="Send").click()
        row.locator("textarea").wait_for(state="hidden")
        said(row, "Thank you.")
        assert [(each.rating, each.better) for each in kept(folder)] == [("down", f"{HTML} 1.0")]
        assert page.locator("#talk img").count() == 0
        down.click()
        said(row, "Taken back.")
        assert pressed(row) == [False, False]
        assert kept(folder) == []


def test_thumbs_are_reached_and_used_by_the_keyboard(browser: "Browser", address: str, folder: Path) -> None:
    with looking(browser, address) as page:
        ask(page, QUESTION)
        row = page.locator(".rating")
        assert row.get_attribute("role") == "group"
        assert row.get_attribute("aria-label") == "What you think of the answer of rlhf + prompt + retrieval"
        page.locator(".sources summary").last.focus()
        page.keyboard.press("Tab")
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.ariaLabel") == "Bad answer"
        page.keyboard.press("Space")
        page.locator(".better textarea").wait_for()
        assert page.evaluate("document.activeElement.tagName") == "TEXTAREA"
        page.keyboard.type("So.")
        page.keyboard.press("Escape")
        assert not page.locator(".better textarea").is_visible()
        assert page.evaluate("document.activeElement.ariaLabel") == "Bad answer"
        page.keyboard.press("Shift+Tab")
        page.keyboard.press("Enter")
        # The line has thanked for the thumb before already: it does not tell when this one is kept.
        wait_until(lambda: pressed(row) == [True, False] and [each.rating for each in kept(folder)] == ["up"])
        said(row, "Thank you.")
        assert pressed(row) == [True, False]
        assert [each.rating for each in kept(folder)] == ["up"]


def test_what_the_server_refuses_is_shown_and_nothing_is_pressed(browser: "Browser", folder: Path) -> None:
    engine = ScriptedEngine(ANSWERS)
    with (
        running(engine, feedback=str(folder), requests_per_minute=2) as address,
        looking(browser, address) as page,
    ):
        ask(page, QUESTION)
        row = page.locator(".rating")
        row.get_by_role("button", name="Bad answer").click()
        said(row, "Thank you.")
        row.locator("textarea").fill("So.")
        row.get_by_role("button", name="Send").click()
        row.locator(".wrong").wait_for()
        assert "2 requests a minute are allowed" in row.locator("[role=status]").inner_text()
        assert row.locator("textarea").input_value() == "So."
        row.get_by_role("button", name="Good answer").click()
        assert pressed(row) == [False, True]


def test_where_nobody_is_asked_there_are_no_thumbs(browser: "Browser", scripted: str) -> None:
    with looking(browser, scripted) as page:
        ask(page, QUESTION)
        assert page.locator(".rating").count() == 0


def test_an_answer_that_was_stopped_has_no_thumbs(browser: "Browser", address: str) -> None:
    with looking(browser, address) as page:
        page.route("**/v1/chat/completions", lambda route: route.abort())
        ask(page, QUESTION)
        assert "does not answer" in last(page, ".wrong")
        assert page.locator(".rating").count() == 0


def test_two_answers_stand_beside_each_other_and_are_rated_each_for_itself(
    browser: "Browser", address: str, folder: Path
) -> None:
    with looking(browser, address) as page:
        sent = choices(page)
        one, other = compare(page, QUESTION, "bare base").all()
        assert [(each["model"], each["prompt"], each["retrieval"]) for each in sent] == [
            ("rlhf", True, True),
            ("base", False, False),
        ]
        assert sent[0]["messages"] == sent[1]["messages"]
        assert [each.locator("h3").inner_text() for each in (one, other)] == [
            "rlhf + prompt + retrieval",
            "base alone",
        ]
        assert [each.locator(".sources li").count() for each in (one, other)] == [2, 0]
        left, right = one.bounding_box(), other.bounding_box()
        assert left
        assert right
        assert left["y"] == right["y"]
        assert left["x"] + left["width"] < right["x"]
        one.get_by_role("button", name="Good answer").click()
        said(one, "Thank you.")
        other.get_by_role("button", name="Bad answer").click()
        said(other, "Thank you.")
        assert {(each.answer.model, each.rating) for each in kept(folder)} == {
            ("rlhf", "up"),
            ("base", "down"),
        }
        assert len({each.answer.conversation for each in kept(folder)}) == 1
        page.select_option("#beside", "")
        ask(page, "And `nu`?")
        assert [turn["content"] for turn in sent[-1]["messages"]] == [
            QUESTION,
            ANSWERS[QUESTION],
            "And `nu`?",
        ]


@pytest.mark.parametrize(
    ("way", "asked"),
    [
        ("model sft", ("sft", True, True)),
        ("without retrieval", ("rlhf", True, False)),
        ("without prompt", ("rlhf", False, True)),
    ],
)
def test_each_way_of_comparing_asks_for_what_it_says(
    browser: "Browser", address: str, way: str, asked: tuple[str, bool, bool]
) -> None:
    with looking(browser, address) as page:
        sent = choices(page)
        compare(page, QUESTION, way)
        assert (sent[1]["model"], sent[1]["prompt"], sent[1]["retrieval"]) == asked


def test_what_would_be_compared_with_itself_is_asked_once(browser: "Browser", address: str) -> None:
    with looking(browser, address) as page:
        sent = choices(page)
        page.select_option("#beside", "model rlhf")
        ask(page, QUESTION)
        assert len(sent) == 1
        assert last(page, ".note") == "Compared with itself: it is asked once."


def test_where_the_first_fails_the_second_is_not_asked(browser: "Browser", address: str) -> None:
    with looking(browser, address) as page:
        sent = choices(page)
        page.route("**/v1/chat/completions", lambda route: route.abort())
        page.select_option("#beside", "bare base")
        page.fill("#question", QUESTION)
        page.press("#question", "Enter")
        page.get_by_text("Not asked.").wait_for()
        assert len(sent) == 1
        assert page.input_value("#question") == QUESTION
        assert page.locator("#stop").is_hidden()


def test_where_the_second_fails_the_first_stands_and_is_followed_on_from(
    browser: "Browser", address: str
) -> None:
    with looking(browser, address) as page:
        sent = choices(page)

        def second_fails(route: "Route") -> None:
            if "base" in (route.request.post_data or ""):
                route.abort()
            else:
                route.continue_()

        page.route("**/v1/chat/completions", second_fails)
        page.select_option("#beside", "bare base")
        page.fill("#question", QUESTION)
        page.press("#question", "Enter")
        page.locator(".note.wrong").wait_for()
        assert page.input_value("#question") == ""
        assert page.locator(".figures").count() == 1
        page.select_option("#beside", "")
        ask(page, "And `nu`?")
        assert [turn["content"] for turn in sent[-1]["messages"]] == [
            QUESTION,
            ANSWERS[QUESTION],
            "And `nu`?",
        ]


@pytest.mark.parametrize(("width", "height"), [(390, 844), (844, 390), (1280, 800)])
def test_nothing_of_a_comparison_is_covered_or_cut(
    browser: "Browser", address: str, width: int, height: int
) -> None:
    with looking(browser, address, width=width, height=height) as page:
        for _ in range(2):
            one, other = compare(page, QUESTION, "bare base").all()
        upper, lower = one.bounding_box(), other.bounding_box()
        assert upper
        assert lower
        if width < 600:
            assert lower["y"] > upper["y"] + upper["height"]
        other.get_by_role("button", name="Bad answer").click()
        field = other.get_by_label("What would be right?")
        field.wait_for()
        box, footer = other.bounding_box(), page.locator("footer").bounding_box()
        assert box
        assert footer
        assert box["y"] + box["height"] <= footer["y"]
        assert page.evaluate("document.documentElement.scrollWidth") == width
        for part in (field, other.get_by_role("button", name="Send")):
            seen = part.evaluate(
                """(part) => {
                    const { x, y, width, height } = part.getBoundingClientRect();
                    return document.elementFromPoint(x + width / 2, y + height / 2) === part;
                }"""
            )
            assert seen

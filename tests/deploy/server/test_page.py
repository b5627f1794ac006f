"""Protects the page, in a real browser: what a person sees, what is sent, and that all of it stays here.

The tests need a Chromium (`chromium` of Debian and others, or Google Chrome) and `pip install playwright`,
whose own browsers are not needed. Without them they are skipped.
"""

import threading
from typing import TYPE_CHECKING

import httpx
import pytest

from deploy.knowledge.hits import Hit
from deploy.server.app import PAGE
from deploy.server.live import Live
from tests.deploy.engines.scripted import ScriptedEngine
from tests.deploy.knowledge.listed import reader
from tests.deploy.server.browsing import ask, complaints, last, looking, requests
from tests.deploy.server.conftest import ASK, HITS, QUESTION, running, served, serving, serving_live
from tests.waiting import wait_until

if TYPE_CHECKING:
    from playwright.sync_api import Browser

SIZES = [(1280, 800), (390, 844), (844, 390)]  # a desk, a phone, and the phone on its side
LONG = "sklearn.ensemble.gradient_boosting.HistGradientBoostingClassifier.set_partial_fit_request"


def test_its_files_name_no_other_place_and_parse_no_text_as_html(scripted: str) -> None:
    names = sorted(path.name for path in PAGE.iterdir())
    assert {"index.html", "chat.js", "style.css"} <= set(names)
    for name in names:
        text = httpx.get(f"{scripted}/page/{name}").raise_for_status().text
        for spared in ("http://www.w3.org/2000/svg", "// "):  # a name, and the beginning of a comment
            text = text.replace(spared, "")
        for word in ("//", "innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "style="):
            assert word not in text, f"{name} has {word}"


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_nothing_of_the_last_answer_is_covered(browser: "Browser", width: int, height: int) -> None:
    hits = [Hit(chunk=1, document="a", uri="py:a", title=LONG, text="a", score=0.9), *HITS]
    answers = {QUESTION: f"It is `1.0` [1]. {'word ' * 12}{'x' * 300}"}
    with (
        serving(reader(hits, ScriptedEngine(answers))) as address,
        looking(browser, address, width=width, height=height) as page,
    ):
        for _ in range(5):
            ask(page, QUESTION)
            figures = page.locator(".figures").last.bounding_box()
            footer = page.locator("footer").bounding_box()
            assert figures
            assert footer
            assert figures["y"] > 0
            assert figures["y"] + figures["height"] <= footer["y"]
            assert footer["y"] + footer["height"] < height + 1  # a part of a pixel is rounding
        assert page.evaluate("document.documentElement.scrollWidth") == width
        assert page.evaluate(
            """() => [...document.querySelectorAll(".turn:last-child .figures span")].every((part) => {
                const { x, y, width, height } = part.getBoundingClientRect();
                return document.elementFromPoint(x + width / 2, y + height / 2) === part;
            })"""
        )


def test_who_reads_further_up_is_left_there(browser: "Browser") -> None:
    go_on = threading.Event()
    engine = ScriptedEngine(
        {QUESTION: f"{'word ' * 20}end"}, before_word=lambda word: word == "end" and go_on.wait(20)
    )
    go_on.set()
    with running(engine) as address, looking(browser, address) as page:
        for _ in range(5):
            ask(page, QUESTION)
        go_on.clear()
        page.fill("#question", QUESTION)
        page.press("#question", "Enter")
        page.locator(".turn").nth(5).get_by_text("word").wait_for()
        page.locator("#talk").hover()
        page.mouse.wheel(0, -5000)
        wait_until(lambda: page.evaluate("document.getElementById('talk').scrollTop") == 0)
        go_on.set()
        page.locator(".figures").nth(5).wait_for()
        assert page.evaluate("document.getElementById('talk').scrollTop") == 0


def test_an_answer_that_the_limit_cuts_is_marked(browser: "Browser") -> None:
    engine = ScriptedEngine({"long?": "one two three four five", "short?": "one two"})
    with serving(reader(HITS, engine, tokens=3)) as address, looking(browser, address) as page:
        ask(page, "short?")
        assert page.locator(".note").count() == 0
        ask(page, "long?")
        assert last(page, ".text") == "one two three"
        assert last(page, ".note") == "Cut at the limit of 3 tokens: this is not the whole answer."


def test_a_busy_server_gives_the_question_back(browser: "Browser") -> None:
    go_on = threading.Event()
    engine = ScriptedEngine({QUESTION: "It is `1.0`."}, before_word=lambda _: go_on.wait(20))
    with running(engine, max_concurrency=1) as address, looking(browser, address) as page:
        sent = requests(page)
        other = threading.Thread(
            target=httpx.post, args=[f"{address}/v1/chat/completions"], kwargs={"json": ASK}
        )
        other.start()
        wait_until(lambda: engine.asked)
        ask(page, QUESTION)
        assert "busy" in last(page, ".wrong")
        assert "Send it again in 2 s." in last(page, ".answer")
        assert page.input_value("#question") == QUESTION
        go_on.set()
        other.join()
        page.press("#question", "Enter")
        page.locator(".figures").wait_for()
        assert last(page, ".text") == "It is 1.0."
        assert page.input_value("#question") == ""
    assert sent == [[QUESTION], [QUESTION]]  # what was refused is no turn before


def test_an_error_leaves_what_was_read_and_what_is_being_typed(browser: "Browser") -> None:
    fail = threading.Event()

    def before(word: str) -> None:
        if word == "boom":
            fail.wait(20)
            raise RuntimeError("secret detail")

    engine = ScriptedEngine({QUESTION: "well boom"}, before_word=before)
    with running(engine) as address, looking(browser, address) as page:
        page.fill("#question", QUESTION)
        page.press("#question", "Enter")
        page.locator(".text").get_by_text("well").wait_for()
        page.fill("#question", "a draft")
        fail.set()
        page.locator(".wrong").wait_for()
        assert last(page, ".text") == "well"
        assert page.input_value("#question") == "a draft"


def test_escape_stops_and_the_question_comes_back(browser: "Browser") -> None:
    go_on = threading.Event()
    engine = ScriptedEngine({}, before_word=lambda _: go_on.wait(20))
    with running(engine) as address, looking(browser, address) as page:
        page.fill("#question", QUESTION)
        page.press("#question", "Enter")
        page.locator("#stop").wait_for()
        page.keyboard.press("Escape")
        page.locator(".note").wait_for()
        assert last(page, ".note") == "Stopped."
        assert page.input_value("#question") == QUESTION
        assert page.locator("#stop").is_hidden()
        go_on.set()


def test_a_suggestion_shows_what_it_sends(browser: "Browser") -> None:
    default = served(reader(HITS, ScriptedEngine({})), name="threeply-default")
    with serving_live(Live(default)) as address, looking(browser, address) as page:
        sent = requests(page)
        buttons = page.locator("#suggestions button")
        buttons.first.wait_for()
        for number in range(buttons.count()):
            shown = buttons.nth(number).inner_text()
            buttons.nth(number).click()
            page.locator(".figures").wait_for()
            assert last(page, ".asked") == shown
            assert sent[-1] == [shown]
            page.click("#anew")
        assert len(sent) > 1


def test_a_question_takes_the_turn_before_along_until_a_new_conversation(browser: "Browser") -> None:
    engine = ScriptedEngine({"one?": "First [1].", "two?": "Second [1].", "long?": "x" * 4100})
    with running(engine) as address, looking(browser, address) as page:
        sent = requests(page)
        for question in ("one?", "two?", "two?", "three?"):
            ask(page, question)
        assert sent == [
            ["one?"],
            ["one?", "First [1].", "two?"],
            ["one?", "First [1].", "two?"],  # asked again, it must not read its own answer
            ["two?", "Second [1].", "three?"],
        ]
        assert [turn.role for turn in engine.asked[-1]] == ["system", "user", "assistant", "user"]
        assert "with the turn before" in last(page, ".figures")
        page.click("#anew")
        assert page.locator(".turn").count() == 0
        assert page.locator("#welcome").is_visible()
        assert page.evaluate("document.activeElement.id") == "question"
        ask(page, "long?")
        ask(page, "four?")
        assert sent[4:] == [["long?"], ["four?"]]
        assert "too long" in last(page, ".note")


def test_a_new_conversation_ends_the_answer_of_the_old_one(browser: "Browser") -> None:
    go_on = threading.Event()
    engine = ScriptedEngine({"one?": "well then"}, before_word=lambda word: word == "then" and go_on.wait(20))
    with running(engine) as address, looking(browser, address) as page:
        sent = requests(page)
        page.fill("#question", "one?")
        page.press("#question", "Enter")
        page.locator(".text").get_by_text("well").wait_for()
        page.click("#anew")
        ask(page, "two?")
        assert sent == [["one?"], ["two?"]]
        assert page.locator(".turn").count() == 1
        go_on.set()


def test_text_that_looks_like_html_stays_text(browser: "Browser") -> None:
    code = "<img src=x onerror=alert(1)><script>alert(1)</script>"
    hits = [Hit(chunk=1, document="a", uri=f"py:{code}", title=code, text=code, score=0.9)]
    with (
        serving(reader(hits, ScriptedEngine({code: f"{code} [1] `{code}`"}))) as address,
        looking(browser, address) as page,
    ):
        ask(page, code)
        page.click(".mark")
        assert page.locator("#talk img, #talk script").count() == 0
        for part in (".asked", ".title", "pre", ".uri"):
            assert last(page, part).removeprefix("py:") == code
        assert last(page, ".text").replace(" 1 ", " ").split("> ") == [code[:-1], code]


def test_what_the_headers_forbid_would_be_heard(browser: "Browser", scripted: str) -> None:
    page = browser.new_page()
    faults = complaints(page)
    page.goto(scripted)
    with page.expect_console_message():
        page.evaluate("document.body.append(Object.assign(new Image(), { src: 'http://127.0.0.2/x.png' }))")
    assert "img-src" in faults[0]
    page.close()

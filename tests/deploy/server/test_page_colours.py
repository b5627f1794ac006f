"""Protects the colours of the page, in a real browser: light and dark, all that is written can be read."""

from typing import TYPE_CHECKING, Literal

import pytest

from tests.deploy.server.browsing import ask, looking
from tests.deploy.server.conftest import QUESTION

if TYPE_CHECKING:
    from playwright.sync_api import Browser

READABLE = 4.5  # of the luminance of text to that of what is behind it: WCAG 2.2, level AA
# Each element that has text of its own and is seen: its text, and the ratio of luminances.
CONTRASTS = """() => {
    const parts = (colour) => colour.match(/[\\d.]+/g).map(Number);
    const over = ([r, g, b, a = 1], below) =>
        [r, g, b].map((part, place) => part * a + below[place] * (1 - a));
    const behind = (element) => {
        const layers = [];
        for (let each = element; each; each = each.parentElement) {
            layers.push(parts(getComputedStyle(each).backgroundColor));
        }
        return layers.reverse().reduce((below, layer) => over(layer, below), [255, 255, 255]);
    };
    const luminance = (colour) => {
        const [r, g, b] = colour.map((part) => part / 255)
            .map((part) => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const found = [];
    for (const element of document.querySelectorAll("body, body *")) {
        const text = [...element.childNodes].filter((node) => node.nodeType === Node.TEXT_NODE)
            .map((node) => node.textContent.trim()).join(" ").trim() || element.placeholder;
        if (!text || !element.checkVisibility({ visibilityProperty: true }) || element.disabled) continue;
        const style = getComputedStyle(element, element.placeholder ? "::placeholder" : null);
        const ground = behind(element);
        const both = [over(parts(style.color), ground), ground].map((colour) => luminance(colour) + 0.05);
        found.push([text.slice(0, 40), Math.max(...both) / Math.min(...both)]);
    }
    return found;
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_all_that_is_written_can_be_read(
    browser: "Browser", scripted: str, scheme: Literal["light", "dark"]
) -> None:
    with looking(browser, scripted, scheme=scheme) as page:
        before = dict(page.evaluate(CONTRASTS))
        ask(page, QUESTION)
        page.locator(".sources summary").first.click()
        after = dict(page.evaluate(CONTRASTS))
        ground = page.evaluate("getComputedStyle(document.body).backgroundColor").strip("rgb()").split(", ")
    assert (sum(map(float, ground)) < 3 * 64) is (scheme == "dark")
    assert len(before) > 5
    assert len(after) > len(before)
    assert not {text: ratio for text, ratio in (before | after).items() if ratio < READABLE}

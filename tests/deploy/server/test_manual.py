"""Protects the page about the API: all that the description has stands there, and nothing of it runs."""

import html
import re
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from deploy.server.manual import manual_page, words
from tests.deploy.server.browsing import looking

if TYPE_CHECKING:
    from playwright.sync_api import Browser


def test_every_route_and_field_of_the_description_is_named(scripted: str) -> None:
    description: dict[str, Any] = httpx.get(f"{scripted}/openapi.json").json()
    reply = httpx.get(f"{scripted}/api")
    assert reply.headers["content-type"].startswith("text/html")
    page = html.unescape(reply.text)
    for path, operations in description["paths"].items():
        for method, operation in operations.items():
            assert f"<code>{method.upper()} {path}</code>" in page
            assert f"<td>{operation['summary']}</td>" in page
            assert len(operation["summary"].split()) > 1, f"{path} says no more than the name of its function"
    for name, schema in description["components"]["schemas"].items():
        section = page.split(f'<section id="{name}">')[1].split("</section>")[0]
        assert set(re.findall(r"<tr>\s*<td><code>(\w+)</code></td>", section)) == set(
            schema.get("properties", {})
        )
    targets = set(re.findall(r'href="#(\w+)"', page))
    assert targets <= set(description["components"]["schemas"])
    assert "<script" not in page


@pytest.mark.parametrize(
    ("schema", "said"),
    [
        ({"type": "string", "minLength": 1, "maxLength": 64}, "text, 1 to 64 characters"),
        (
            {"anyOf": [{"type": "integer", "minimum": 1, "maximum": 8}, {"type": "null"}]},
            "whole number from 1 to 8 or null",
        ),
        ({"type": "number", "exclusiveMinimum": 0.0, "maximum": 1.0}, "number above 0 to 1"),
        (
            {"type": "array", "items": {"$ref": "#/components/schemas/Turn"}, "maxItems": 4},
            "list of Turn, at most 4 of them",
        ),
        ({"enum": ["up", "down"]}, "“up” or “down”"),
        ({"const": "text", "type": "string"}, "“text”"),
        ({}, "anything"),
    ],
)
def test_a_value_is_told_in_words(schema: dict[str, Any], said: str) -> None:
    assert "".join(word.text for word in words(schema)) == said


def test_what_a_description_says_is_text(scripted: str) -> None:
    description: dict[str, Any] = httpx.get(f"{scripted}/openapi.json").json()
    description["info"]["title"] = "<script>alert(1)</script>"
    assert "<script" not in manual_page(description)


def test_keys_are_asked_for_only_where_there_are_some(scripted: str) -> None:
    description: dict[str, Any] = httpx.get(f"{scripted}/openapi.json").json()
    assert "No key is needed" in manual_page(description)
    assert "Authorization: Bearer KEY" in manual_page({**description, "security": [{"key": []}]})


@pytest.mark.parametrize("width", [1280, 390])
def test_it_fits_the_screen_and_loads_nothing_from_elsewhere(
    browser: "Browser", scripted: str, width: int
) -> None:
    with looking(browser, scripted, "/api", width=width, ready="section") as page:
        assert page.evaluate("document.documentElement.scrollWidth") == width

"""Protects every page that the chain and the lab write: nothing from elsewhere, nothing cut on a phone."""

import html
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tasks.lab.compare.claims import judge
from tasks.lab.compare.figures import rows_of
from tasks.lab.compare.page import render as render_lab
from tasks.pages import prose
from tasks.prepare.validate.page import render as render_validation
from tasks.settings import load_settings
from tests.conftest import ROOT
from tests.tasks.lab.compare.test_compare import TRIALS
from tests.tasks.pages.checking import checked, elsewhere, looked_at
from tests.tasks.prepare.validate.made import LONG, finding
from tests.tasks.release.report.conftest import make_page, write_reports
from tests.tasks.rows.made import counted

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
FRAME = """<!doctype html><iframe width="390" height="800" style="border: 0" srcdoc="{page}"></iframe><script>
onload = () => {{
  const root = document.querySelector("iframe").contentDocument.documentElement;
  root.querySelectorAll("details").forEach((each) => (each.open = true));
  document.body.textContent = `widths ${{root.scrollWidth}} ${{root.clientWidth}}`;
}};
</script>"""
PAGES = ("report", "validation", "methods", "claims")


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The pages, made from small reports."""
    folder = tmp_path_factory.mktemp("reports")
    compared = {"rows": rows_of(TRIALS, seed=1), "settings": load_settings(ROOT / "params.yaml").compare}
    failed = [finding(examples=((LONG, "s"), ("q2", "s"))), finding(about_rows=False, failed=0, observed=3.0)]
    return {
        "report": make_page(folder, write_reports(folder)),
        "validation": render_validation(
            failed, counted("example", **{"in": 2, "kept": 2}), compared="Nothing was accepted before."
        ),
        "methods": render_lab("methods.html", **compared),
        "claims": render_lab("claims.html", **compared, claims=judge(compared["rows"])),
    }


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_whole_and_needs_no_other_host(pages: dict[str, str], name: str) -> None:
    targets = checked(pages[name]).targets
    assert all(re.fullmatch(r"#[\w.-]+|\w+\.html", target) for target in targets)


@pytest.mark.parametrize(
    "part",
    [
        '<script src="https://cdn.example/a.js"></script>',
        '<link rel="stylesheet" href="//cdn.example/a.css">',
        '<img src="http://cdn.example/a.png">',
        '<svg><use xlink:href="https://cdn.example/a.svg#b"/></svg>',
        '<p style="background: url(//cdn.example/a.png)"></p>',
        "<style>@import 'https://cdn.example/a.css';</style>",
        '<style>p { background: url("https://cdn.example/a.png"); }</style>',
    ],
)
def test_what_another_host_would_have_to_give_is_seen(part: str) -> None:
    assert [address for address in elsewhere(part) if "cdn.example" in address]


def test_a_link_that_a_person_follows_may_lead_elsewhere() -> None:
    assert elsewhere('<p><a href="https://example.org/">Read on</a> or https://example.org/</p>') == []


@pytest.mark.parametrize(
    ("start", "num_cut"),
    [
        ('<div class="scroll" role="region" aria-label="Rows" tabindex="0">', 0),
        ('<div class="scroll">', 1),
        ('<div class="scroll" role="region" aria-label="" tabindex="0">', 1),
        ("<div>", 1),
    ],
)
def test_a_table_that_cannot_be_scrolled_is_seen(start: str, num_cut: int) -> None:
    assert len(looked_at(f"{start}<table></table></div>").cut) == num_cut


def test_prose_escapes_before_it_sets_code() -> None:
    assert prose("`<b>` & <i>") == "<code>&lt;b&gt;</code> &amp; &lt;i&gt;"


@pytest.mark.skipif(BROWSER is None, reason="needs Chromium")
@pytest.mark.parametrize("name", PAGES)
def test_a_phone_shows_the_whole_width(pages: dict[str, str], name: str, tmp_path: Path) -> None:
    assert BROWSER
    # No window is as narrow as a phone: a frame is.
    framed = tmp_path / "framed.html"
    framed.write_text(FRAME.format(page=html.escape(pages[name])), encoding="utf-8")
    alone = (
        "--disable-gpu",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
    )
    command = [BROWSER, "--headless", "--no-sandbox", "--no-first-run", *alone]
    command += [f"--user-data-dir={tmp_path / 'profile'}", "--virtual-time-budget=5000", "--dump-dom"]
    shown = subprocess.run(
        [*command, framed.as_uri()], capture_output=True, text=True, timeout=240, check=True
    ).stdout
    told = re.search(r"widths (\d+) (\d+)", shown)
    assert told, shown[:2000]
    assert int(told[1]) <= int(told[2])

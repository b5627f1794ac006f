"""Protects the pages from links that lead nowhere, and the code from naming pages that are gone."""

import re
import subprocess
from pathlib import Path

import pytest

from tests.conftest import ROOT

FENCED = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
NAMED = re.compile(r"\bdocs/[\w/-]+\.md\b")
# A page that a benchmark writes once there is a GPU, and one that stands for any in an example.
NOT_YET = {"docs/gpu.md", "docs/a.md"}


def kept(*patterns: str) -> list[Path]:
    """The files under version control, and those that will be."""
    told = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", *patterns],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    return [path for name in told.stdout.splitlines() if (path := ROOT / name).is_file()]


PAGES = kept("*.md")


def slug(heading: str) -> str:
    """The anchor that a heading gets."""
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).strip().lower()
    return re.sub(r"[^\w\- ]", "", text).replace(" ", "-")


def anchors(page: Path) -> set[str]:
    text = FENCED.sub("", page.read_text(encoding="utf-8"))
    return {slug(heading) for heading in re.findall(r"^#+ (.+)$", text, re.MULTILINE)}


@pytest.mark.skipif(not PAGES, reason="this is no checkout")
def test_links_lead_somewhere() -> None:
    broken = []
    for page in PAGES:
        for link in LINK.findall(FENCED.sub("", page.read_text(encoding="utf-8"))):
            file, _, anchor = link.partition("#")
            if re.match(r"\w+:", link):
                continue
            target = (page.parent / file).resolve() if file else page
            if not target.exists() or (anchor and target.suffix == ".md" and anchor not in anchors(target)):
                broken.append(f"{page.relative_to(ROOT)}: {link}")
    assert broken == []


@pytest.mark.skipif(not PAGES, reason="this is no checkout")
def test_pages_that_files_name_are_there() -> None:
    gone = [
        f"{path.relative_to(ROOT)}: {name}"
        for path in kept("*.py", "*.yaml", "*.toml", "*.md", "Makefile", "*.html")
        for name in NAMED.findall(path.read_text(encoding="utf-8"))
        if name not in NOT_YET and not (ROOT / name).is_file()
    ]
    assert gone == []


def test_decisions_are_numbered_without_a_gap_and_dated() -> None:
    files = sorted((ROOT / "docs/decisions").glob("[0-9]*.md"))
    assert [int(file.name[:4]) for file in files] == list(range(1, len(files) + 1))
    heads = {file.name[:4]: file.read_text(encoding="utf-8").partition("\n")[0] for file in files}
    wrong = {
        n: head for n, head in heads.items() if not re.fullmatch(rf"# {n}: .+ \(\d{{4}}-\d\d-\d\d\)", head)
    }
    assert wrong == {}

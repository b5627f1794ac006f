"""The page's drawer of documents, for tests: files are added to it, and what it says is read."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import FilePayload, Page

WHERE = "Where does the canary sing?"
ZOO = b"```\n# no heading\n```\n\n# The zoo\n\nThe canary sings in the aquarium.\n"


def file(name: str, content: bytes) -> "FilePayload":
    return {"name": name, "mimeType": "text/markdown", "buffer": content}


def choose(page: "Page", *files: "FilePayload") -> None:
    """Add these files by the button of the drawer."""
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Add files").click()
    chooser.value.set_files(list(files))


def done(page: "Page", words: str) -> None:
    """Wait until the drawer has said so."""
    page.locator("#done").filter(has_text=words).wait_for()


def trouble(page: "Page") -> str:
    """What the drawer says went wrong, once it says so."""
    page.locator("#troubles p").first.wait_for()
    return page.locator("#troubles").inner_text()

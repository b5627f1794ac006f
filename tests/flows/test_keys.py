"""Protects `threeply key`: a key is shown once, works at once, and is gone when it is withdrawn."""

from pathlib import Path

import pytest

from deploy.server.keys import KeyFile
from flows.cli import main

PATH = Path(".threeply/keys.json")


@pytest.fixture
def keyed(here: Path) -> Path:
    """A project whose settings name a file for keys."""
    params = here / "params.yaml"
    params.write_text(params.read_text().replace("keys: null ", f"keys: {PATH} "))
    return here


def test_a_key_is_made_shown_once_listed_and_withdrawn(
    keyed: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["key", "add", "team-a"]) == 0
    assert main(["key", "add", "ops", "--scope", "admin"]) == 0
    said = capsys.readouterr().out.splitlines()
    secret = said[0]
    assert said[1].startswith("team-a may read. Keep the key: it is not shown again")
    held = KeyFile(keyed / PATH).holder(secret)
    assert held is not None
    assert held.name == "team-a"
    assert secret not in (keyed / PATH).read_text()
    assert main(["key", "list"]) == 0
    listed = capsys.readouterr().out
    assert "ops" in listed
    assert "2 keys in" in listed
    assert secret not in listed
    assert main(["key", "remove", "team-a"]) == 0
    assert KeyFile(keyed / PATH).holder(secret) is None


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["add", "a b"], "'a b' is no name for a key"),
        (["add", "mine"], "there is a key called mine; remove it first"),
        (["remove", "yours"], "no key is called 'yours' in"),
    ],
)
def test_a_wrong_name_is_told(
    keyed: Path, words: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert keyed
    assert main(["key", "add", "mine"]) == 0
    assert main(["key", *words]) == 2
    assert message in capsys.readouterr().err


def test_without_a_file_for_them_the_setting_is_named(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert here
    assert main(["key", "list"]) == 2
    assert "serve.keys is null; set it to the file" in capsys.readouterr().err

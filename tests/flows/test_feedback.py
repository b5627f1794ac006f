"""Protects `threeply feedback`: what people think is shown, handed to `collect`, and gone once deleted."""

import json
from pathlib import Path

import httpx
import pytest

from deploy.feedback.store import FILE, FeedbackStore
from deploy.messages import Message
from flows.cli import main
from tasks.prepare.collect.feedback import read_feedback
from tasks.prepare.collect.pieces import in_memory
from tasks.prepare.collect_settings import FeedbackSource
from tasks.settings import load_settings
from tests.deploy.engines.scripted import ScriptedEngine
from tests.deploy.feedback.made import rated
from tests.deploy.server.conftest import ASK, QUESTION, running

FOLDER = Path(".threeply/feedback")


@pytest.fixture
def kept(here: Path) -> Path:
    """A project in which three answers were rated."""
    store = FeedbackStore(here / FOLDER)
    store.put(rated("down", "It is 2 [1].", better="It is 1.0 [1].", question="What\nis \x1b[31mC?"), "anna")
    store.put(rated("up", "Because.", name="chatcmpl-2"), "anna")
    store.put(rated("down", "No.", name="chatcmpl-3", question="Was it?"), "ben")
    store.close()
    return here


def test_the_ratings_are_shown_with_their_counts(kept: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert kept
    assert main(["feedback", "list"]) == 0
    assert [line.split() for line in capsys.readouterr().out.splitlines()] == [
        ["chatcmpl-1", "sft", "down", "(better)", "What", "is", "?[31mC?"],
        ["chatcmpl-2", "sft", "up", "Why?"],
        ["chatcmpl-3", "sft", "down", "Was", "it?"],
        ["sft:", "1", "up,", "2", "down"],
        ["3", "ratings,", "1", "of", "them", "with", "a", "better", "answer"],
    ]


def test_what_is_exported_says_what_it_lacks_and_forgets_what_is_deleted(
    kept: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["feedback", "export"]) == 0
    said = capsys.readouterr().out
    assert "sources/feedback.jsonl has 3 conversations of 3 ratings" in said
    assert "2 of them make no pair yet (only_down 1, only_up 1)" in said
    assert "collect.sources: {kind: feedback, path: sources/feedback.jsonl}" in said
    path = kept / "sources/feedback.jsonl"
    first = json.loads(path.read_text(encoding="utf-8").splitlines()[0])
    assert (first["responses"], first["ratings"]) == (["It is 2.", "It is 1.0."], [0.0, 1.0])
    assert "anna" not in path.read_text(encoding="utf-8")
    assert main(["feedback", "delete", "chatcmpl-1"]) == 0
    assert "export anew, so that training forgets it, too" in capsys.readouterr().out
    assert main(["feedback", "export", "mine.jsonl"]) == 0
    assert len((kept / "mine.jsonl").read_text(encoding="utf-8").splitlines()) == 2
    for name in ("chatcmpl-2", "chatcmpl-3"):
        assert main(["feedback", "delete", name]) == 0
    assert main(["feedback", "export"]) == 0
    assert path.read_text(encoding="utf-8") == ""  # or what was taken back would be trained on
    assert not [each for each in (kept / FOLDER).iterdir() if b"1.0" in each.read_bytes()]


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["list"], 1, f"nobody has rated an answer yet: {FOLDER / FILE} is not there"),
        (["export"], 1, "nobody has rated an answer yet"),
        (["delete", "chatcmpl-1"], 1, "nobody has rated an answer yet"),
        (["export", "mine.csv"], 2, "mine.csv is no name for what is exported; it should end in .jsonl"),
    ],
)
def test_what_cannot_be_done_is_told_and_changes_nothing(
    here: Path, words: list[str], code: int, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (here / "sources").mkdir()
    (here / "sources/feedback.jsonl").write_text("from elsewhere\n", encoding="utf-8")
    assert main(["feedback", *words]) == code
    assert message in capsys.readouterr().err
    assert (here / "sources/feedback.jsonl").read_text(encoding="utf-8") == "from elsewhere\n"
    assert not (here / ".threeply").exists()


def test_an_unknown_rating_and_a_server_that_asks_nobody_are_told(
    kept: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["feedback", "delete", "chatcmpl-9"]) == 1
    assert "no answer called 'chatcmpl-9' was rated" in capsys.readouterr().err
    params = kept / "params.yaml"
    params.write_text(params.read_text().replace(f"feedback: {FOLDER} ", "feedback: null "))
    assert main(["feedback", "list"]) == 2
    assert "serve.feedback is null; set it to a folder" in capsys.readouterr().err


def test_what_a_client_rates_is_what_training_reads(here: Path) -> None:
    settings = load_settings(here / "params.yaml")
    engine = ScriptedEngine({QUESTION: "It is 2 [1]."})
    with running(engine, feedback=str(settings.serve.feedback)) as address:
        name = httpx.post(f"{address}/v1/chat/completions", json=ASK).json()["id"]
        told = {"id": name, "rating": "down", "better": "It is `1.0` [1]."}
        assert httpx.post(f"{address}/v1/feedback", json=told).status_code == 200
        assert main(["feedback", "export"]) == 0  # while it runs
    source = FeedbackSource(kind="feedback", path=Path("sources/feedback.jsonl"))
    [pair] = in_memory(read_feedback(source, watched=Path("sources"))).rows.preferences
    assert (pair.prompt, pair.chosen, pair.rejected, pair.label) == (
        (Message("user", QUESTION),),
        "It is `1.0`.",
        "It is 2.",
        "human",
    )
    assert pair.evidence == ("py:svm.SVC",)

"""Protects the ratings: one for each answer, kept over restarts, and without a trace once they are gone."""

import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from deploy.errors import FeedbackError
from deploy.feedback.store import FILE, FeedbackStore, Rated
from tests.contents import remains
from tests.deploy.feedback.made import given, rated

CANARY = "canary-7431 sings in the aquarium"


@pytest.fixture
def store(tmp_path: Path) -> FeedbackStore:
    return FeedbackStore(tmp_path)


def test_what_is_kept_comes_back_whole_also_after_a_restart(tmp_path: Path, store: FeedbackStore) -> None:
    one = Rated(answer=given("chatcmpl-b", "Wh\u00fd? \U0001f600"), rating="down", better="So.", rated=5)
    other = Rated(answer=given("chatcmpl-a", created=3, finished=False), rating="up", better=None, rated=6)
    store.put(one, "anna")
    store.put(other, "ben")
    assert store.all() == [other, one]
    assert store.of("chatcmpl-b", "anna") == one
    assert store.of("chatcmpl-b", "ben") is None
    store.close()
    assert FeedbackStore(tmp_path).all() == [other, one]


def test_a_later_rating_takes_the_place_of_the_one_before_and_leaves_no_trace_of_it(
    tmp_path: Path, store: FeedbackStore
) -> None:
    store.put(rated("down", "Because.", better=CANARY), "anna")
    store.put(rated("up", "Other.", name="chatcmpl-2"), "anna")
    assert remains(tmp_path, "canary-7431") == [FILE]
    store.put(rated("up", "Because."), "anna")
    assert [(each.answer.id, each.rating, each.better) for each in store.all()] == [
        ("chatcmpl-1", "up", None),
        ("chatcmpl-2", "up", None),
    ]
    assert remains(tmp_path, "canary-7431") == []


@pytest.mark.parametrize("way", ["withdraw", "delete"])
def test_what_is_taken_back_is_gone_from_the_file_and_its_log(
    tmp_path: Path, store: FeedbackStore, way: str
) -> None:
    long = f"{CANARY} " * 2000  # over several pages
    store.put(rated("down", "Because.", question=long, better=long), "anna")
    store.put(rated("up", "Other.", name="chatcmpl-2"), "anna")
    assert not store.withdraw("chatcmpl-1", "ben")
    assert remains(tmp_path, "canary-7431")
    assert store.withdraw("chatcmpl-1", "anna") if way == "withdraw" else store.delete("chatcmpl-1")
    assert remains(tmp_path, "canary-7431") == []
    assert [each.answer.id for each in store.all()] == ["chatcmpl-2"]
    assert not store.withdraw("chatcmpl-1", "anna")
    assert not store.delete("chatcmpl-1")
    store.close()
    assert remains(tmp_path, "canary-7431") == []


def test_passages_of_a_deleted_document_are_gone_and_the_opinions_stay(
    tmp_path: Path, store: FeedbackStore
) -> None:
    store.put(rated("up", "It is one."), "anna")
    store.put(rated("down", "No.", name="chatcmpl-2"), "ben")
    assert store.forget("a") == 2
    assert store.forget("zoo") == 0
    assert [each.rating for each in store.all()] == ["up", "down"]
    for each in store.all():
        first, second = each.answer.sources
        assert (first.document, first.title, first.text) == ("a", "", "")
        assert second.text == "nu=0.5"
    files = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
    assert files
    assert not any(b"C=1.0 : float" in content for content in files)


def test_many_threads_and_another_process_change_it_at_once(tmp_path: Path, store: FeedbackStore) -> None:
    code = (
        "from pathlib import Path; from deploy.feedback.store import FeedbackStore\n"
        "from tests.deploy.feedback.made import rated\n"
        f"store = FeedbackStore(Path({str(tmp_path)!r}))\n"
        "for n in range(20): store.put(rated('up', 'So.', name=f'other-{n % 10}'), 'ben')\n"
    )
    with subprocess.Popen([sys.executable, "-c", code]) as other, ThreadPoolExecutor(4) as pool:
        list(
            pool.map(
                lambda number: store.put(rated("down", f"{number}.", name=f"own-{number % 10}"), "anna"),
                range(40),
            )
        )
        assert other.wait(60) == 0
    found = store.all()
    assert len(found) == 20
    assert {each.rating for each in found if each.answer.id.startswith("own")} == {"down"}


def test_a_full_file_takes_no_more_but_lets_go(tmp_path: Path) -> None:
    store = FeedbackStore(tmp_path, most_bytes=20 * 4096)
    store.put(rated("up", "So."), "anna")
    with pytest.raises(FeedbackError, match=r"feedback\.sqlite cannot be changed: .*full.*threeply feedback"):
        store.put(rated("down", "x" * 200_000, name="chatcmpl-2"), "anna")
    assert [each.answer.id for each in store.all()] == ["chatcmpl-1"]
    assert store.withdraw("chatcmpl-1", "anna")
    store.put(rated("up", "So.", name="chatcmpl-3"), "anna")


def test_the_file_is_its_owners_alone(tmp_path: Path, store: FeedbackStore) -> None:
    store.put(rated("up", "So."), "anna")
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    assert modes[FILE] == 0o600
    assert set(modes.values()) == {0o600}


def test_a_damaged_file_is_named_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b"no database " * 100)
    with pytest.raises(FeedbackError, match=r"feedback\.sqlite cannot be read .*put a copy of the file back"):
        FeedbackStore(tmp_path)

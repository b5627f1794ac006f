"""Protects going back: to a release that is whole, at once, without a lost request, and for good."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from deploy.manifest import digest, write_manifest
from deploy.server.holding import unheld
from deploy.signature import sign
from flows.cli import main
from flows.history import CURRENT, RELEASES, current, kept
from tests.flows.bundles import released, released_models
from tests.flows.started import serving
from tests.waiting import wait_until

Said = pytest.CaptureFixture[str]


def rollback(*words: str, ends: int = 0) -> None:
    assert main(["rollback", *words]) == ends


def test_it_goes_back_to_the_release_before_and_says_what_is_live(here: Path, capsys: Said) -> None:
    one = released(here, "one", partial=True)
    two = released(here, "two", models=("base", "sft", "rlhf"))
    three = released(here, "three")
    rollback()
    assert current(here) == two
    assert capsys.readouterr().out.splitlines() == [
        f"{CURRENT} is now {two}: prompt + retrieval + fine-tuning + RLHF; rlhf answers by default",
        f"Withdrawn, so that no run releases it again: {three}; threeply rollback --to {three} does",
        "A running server follows within seconds",
    ]
    rollback(ends=1)
    assert current(here) == two
    told = f"error: {two} is live, and no older release is kept that was not withdrawn; threeply rollback"
    assert capsys.readouterr().err.startswith(told)
    assert one not in [entry.release for entry in kept(here)]


def test_a_release_is_named_by_the_beginning_of_its_digest(here: Path, capsys: Said) -> None:
    names = [released(here, text) for text in ("one", "two", "three")]
    full = digest(here / RELEASES / names[0])
    for given, chosen in ((names[0][:5].upper(), 0), (names[2], 2), (full, 0), (names[1], 1)):
        rollback("--to", given)
        assert current(here) == names[chosen]
    capsys.readouterr()
    rollback("--to", names[1])
    assert capsys.readouterr().out == f"{names[1]} is live already\n"
    for given, told in (("", "3 releases begin"), ("zzz", "no release"), (full[:-1] + "x", "no release")):
        rollback("--to", given, ends=1)
        assert f"error: {told}" in capsys.readouterr().err
    assert current(here) == names[1]


def test_before_anything_was_released_it_says_what_to_do(here: Path, capsys: Said) -> None:
    for words in ([], ["--list"], ["--to", "abc"]):
        rollback(*words, ends=1)
        assert "nothing was released here yet; threeply run makes" in capsys.readouterr().err
    assert not (here / RELEASES).exists()


def test_the_list_has_each_release_with_its_date_its_layers_and_its_state(here: Path, capsys: Said) -> None:
    one = released(here, "one")
    two = released(here, "two", models=("base",), partial=True)
    three = released(here, "three")
    rollback("--to", two)
    (here / RELEASES / one / "manifest.json").unlink()
    capsys.readouterr()
    rollback("--list")
    lines = capsys.readouterr().out.splitlines()
    today = time.strftime("%Y-%m-%d")
    assert [line.split()[0] for line in lines] == ["release", three, two, one]
    assert all(line.split()[1] == today for line in lines[1:])
    assert lines[1].endswith(f"prompt + retrieval + fine-tuning  (withdrawn: gone back to {two})")
    assert lines[2].endswith("prompt + retrieval, partial  (current)")
    assert "damaged: " in lines[3]


def damage_a_file(folder: Path) -> str:
    (folder / "note.txt").write_text("other", encoding="utf-8")
    return "note.txt: has"


def lose_a_file(folder: Path) -> str:
    (folder / "note.txt").unlink()
    return "note.txt: is missing"


def change_the_manifest_with_its_files(folder: Path) -> str:
    from dataclasses import replace

    from deploy.manifest import describe_files, read_manifest

    (folder / "note.txt").write_text("an attacker's", encoding="utf-8")
    write_manifest(folder, replace(read_manifest(folder), files=describe_files(folder)))
    return f"manifest.json of {folder.name} was changed"


@pytest.mark.parametrize("damage", [damage_a_file, lose_a_file, change_the_manifest_with_its_files])
def test_a_damaged_release_is_refused_and_what_is_live_stays(damage: Any, here: Path, capsys: Said) -> None:
    one, two = released(here, "one"), released(here, "two")
    told = damage(here / RELEASES / one)
    for words in ([], ["--to", one]):
        rollback(*words, ends=1)
        said = capsys.readouterr().err
        assert said.startswith(f"error: {one} is not released again, {two} stays live: ")
        assert told in said
    assert current(here) == two
    assert [entry.withdrawn for entry in kept(here)] == ["", ""]


def test_with_a_public_key_nothing_is_gone_back_to_that_is_not_signed(here: Path, capsys: Said) -> None:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import (
        Encoding,
        NoEncryption,
        PrivateFormat,
        PublicFormat,
    )

    key = Ed25519PrivateKey.generate()
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (here / "signing.pem").write_bytes(private)
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    (here / "public.pem").write_bytes(public)
    settings(here, "public_key: null", "public_key: public.pem")
    one, two = released(here, "one"), released(here, "two")
    rollback(ends=1)
    assert f"{one} is not signed" in capsys.readouterr().err
    assert current(here) == two
    sign(here / RELEASES / one, here / "signing.pem")
    rollback()
    assert current(here) == one


def settings(root: Path, before: str, after: str) -> None:
    text = (root / "params.yaml").read_text(encoding="utf-8")
    assert before in text
    (root / "params.yaml").write_text(text.replace(before, after), encoding="utf-8")


def test_a_release_that_no_server_of_these_settings_takes_is_refused(here: Path, capsys: Said) -> None:
    settings(here, "default_model: auto", "default_model: rlhf")
    released(here, "one")
    two = released(here, "two", models=("base", "sft", "rlhf"))
    rollback(ends=1)
    assert "serve.default_model is rlhf, but small has only base, sft" in capsys.readouterr().err
    assert current(here) == two


def test_a_server_of_something_else_is_not_said_to_follow(here: Path, capsys: Said) -> None:
    settings(here, "bundle: .threeply/releases/current ", "bundle: data/bundle ")
    for text in ("one", "two"):
        released(here, text)
    rollback()
    assert (
        f"serve.bundle is data/bundle: a server of that does not follow {CURRENT}" in capsys.readouterr().out
    )


@pytest.mark.flow
def test_a_run_with_prefect_leaves_what_was_withdrawn_where_it_is(here: Path, server: str) -> None:
    from flows.publishing import publish
    from tests.flows.boards import told

    good, bad = released(here, "good"), released(here, "bad")
    rollback()
    said = told(lambda board: publish(here, board))
    assert said[0].startswith(f"release | {bad} is not released again, for it was withdrawn")
    assert said[1:] == ["release unchanged"]
    assert current(here) == good


class Clients:
    """Clients that ask without a pause; `seen` has the status of each answer and the release that gave it."""

    def __init__(self, address: str, number: int) -> None:
        self.seen: list[list[tuple[int, str]]] = [[] for _ in range(number)]
        self._address, self._enough = address, threading.Event()
        self._threads = [threading.Thread(target=self._ask, args=(seen,)) for seen in self.seen]

    def __enter__(self) -> "Clients":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._enough.set()
        for thread in self._threads:
            thread.join()

    def _ask(self, seen: list[tuple[int, str]]) -> None:
        asked = {"messages": [{"role": "user", "content": "What is C?"}]}
        while not self._enough.is_set():
            try:
                reply = httpx.post(f"{self._address}/v1/chat/completions", json=asked, timeout=400)
                seen.append((reply.status_code, str(reply.json().get("system_fingerprint"))))
            except httpx.HTTPError as error:
                seen.append((0, repr(error)))

    def all_answered_by(self, release: str) -> bool:
        """Whether each client has its latest answer from `release`."""
        return all(seen and seen[-1] == (200, release) for seen in self.seen)


def is_free(folder: Path) -> bool:
    with unheld(folder) as free:
        return free


def changes(seen: list[tuple[int, str]]) -> Iterator[str]:
    """The releases that answered, each time that another one began to."""
    last = ""
    for _, release in seen:
        if release != last:
            yield release
        last = release


@pytest.mark.timeout(1500)  # a real server loads three times; a busy machine takes minutes
def test_a_running_server_goes_back_and_forward_without_a_lost_request(
    here: Path, tiny_base: Path, tiny_embedder: Path
) -> None:
    first, second = (
        released_models(here, name, base=tiny_base, embedder=tiny_embedder, adapters={})
        for name in ("first", "second")
    )
    with serving(here) as address, Clients(address, 3) as clients:
        wait_until(lambda: clients.all_answered_by(second), seconds=400)
        assert [is_free(here / RELEASES / name) for name in (first, second)] == [True, False]
        rollback()
        wait_until(lambda: clients.all_answered_by(first), seconds=400)
        ready = httpx.get(f"{address}/readyz", timeout=400).json()
        assert ready == {
            "status": "ok",
            "release": first,
            "layers": ["prompt", "retrieval"],
            "live": "prompt + retrieval",
        }
        wait_until(lambda: is_free(here / RELEASES / second), seconds=400)
        assert not is_free(here / RELEASES / first)
        rollback("--to", second)
        wait_until(lambda: clients.all_answered_by(second), seconds=400)
    assert {status for seen in clients.seen for status, _ in seen} == {200}
    assert [list(changes(seen)) for seen in clients.seen] == [[second, first, second]] * 3
    assert is_free(here / RELEASES / second)

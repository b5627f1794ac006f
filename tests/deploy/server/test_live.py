"""Protects the switch to a newer release: between two requests, and never to one that cannot be loaded."""

import shutil
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from deploy.errors import BundleError
from deploy.server.following import Follower, release_of
from deploy.server.live import Live, Served
from tests.deploy.engines.scripted import ScriptedEngine
from tests.deploy.knowledge.listed import reader
from tests.deploy.server.conftest import QUESTION, served, serving_live
from tests.waiting import wait_until

ASK = {"messages": [{"role": "user", "content": QUESTION}]}


def early(**script: Callable[[str], object]) -> Served:
    """A partial release with the base model alone."""
    engine = ScriptedEngine({QUESTION: "early words"}, models=["base"], **script)
    return served(reader(engine=engine), digest="early", default_model="base", partial=True)


def tuned(*models: str, partial: bool = False) -> Served:
    engine = ScriptedEngine({QUESTION: "tuned words"}, models=["base", *models])
    return served(reader(engine=engine), digest="tuned", default_model=models[-1], partial=partial)


@pytest.mark.parametrize(
    ("release", "layers", "told"),
    [
        (early(), ["prompt", "retrieval"], "prompt + retrieval; the tuned model is not there yet"),
        (
            tuned("sft", partial=True),
            ["prompt", "retrieval", "fine-tuning"],
            "prompt + retrieval + fine-tuning; what each layer adds is not measured yet",
        ),
        (
            tuned("sft", "rlhf"),
            ["prompt", "retrieval", "fine-tuning", "RLHF"],
            "prompt + retrieval + fine-tuning + RLHF",
        ),
    ],
)
def test_health_and_models_say_which_layers_are_live(release: Served, layers: list[str], told: str) -> None:
    with serving_live(Live(release)) as address:
        health = httpx.get(f"{address}/healthz").json()
        models = httpx.get(f"{address}/v1/models").json()
    assert (health["layers"], health["live"], health["fault"]) == (layers, told, None)
    assert (models["live"], models["default"]) == (told, health["default"])


def test_a_model_that_is_not_there_yet_is_refused_with_what_is() -> None:
    with serving_live(Live(early())) as address:
        refused = httpx.post(f"{address}/v1/chat/completions", json={**ASK, "model": "sft"})
    assert refused.status_code == 404
    assert refused.json()["error"]["message"] == (
        "no model is called 'sft'; there are: base (prompt + retrieval; the tuned model is not there yet)"
    )


def test_a_request_ends_with_the_release_that_it_began_with() -> None:
    began, go_on = threading.Event(), threading.Event()
    live = Live(early(before_word=lambda _: (began.set(), go_on.wait(10))))
    with serving_live(live) as address, ThreadPoolExecutor(1) as pool:
        url = f"{address}/v1/chat/completions"
        waiting = pool.submit(httpx.post, url, json=ASK)
        assert began.wait(10)
        live.now = tuned("sft")
        after = httpx.post(url, json=ASK).json()
        go_on.set()
        before = waiting.result().json()
    assert (before["model"], before["system_fingerprint"]) == ("base", "early")
    assert before["choices"][0]["message"]["content"] == "early words"
    assert (after["model"], after["system_fingerprint"]) == ("sft", "tuned")
    assert after["choices"][0]["message"]["content"] == "tuned words"


class Releases:
    """Folders with a word each, and a link; loading gives the release of that word."""

    def __init__(self, root: Path) -> None:
        self.link, self.said, self.loaded = root / "current", list[str](), list[str]()
        for name in ("early", "tuned", "broken", "strange"):
            (root / name).mkdir()
        self.point("early")
        self.live = Live(early())
        self.follower = Follower(
            self.link, self.live, self.load, served=release_of(self.link), say=self.said.append
        )

    def load(self, folder: Path) -> Served:
        self.loaded.append(folder.name)
        if folder.name == "tuned":
            return tuned("sft")
        if folder.name == "strange":
            raise RuntimeError("secret detail")
        raise BundleError(f"{folder.name} is no bundle")

    def point(self, name: str) -> None:
        self.link.unlink(missing_ok=True)
        self.link.symlink_to(name)


@pytest.fixture
def releases(tmp_path: Path) -> Releases:
    return Releases(tmp_path)


def test_a_link_that_moves_is_followed_and_one_that_stays_loads_nothing(releases: Releases) -> None:
    releases.follower.look()
    assert releases.loaded == []
    releases.point("tuned")
    for _ in range(3):
        releases.follower.look()
    assert releases.loaded == ["tuned"]
    assert releases.live.now.digest == "tuned"
    assert releases.said == ["serving tuned now: prompt + retrieval + fine-tuning"]


def test_a_release_that_cannot_be_loaded_is_told_of_and_the_old_one_goes_on(releases: Releases) -> None:
    releases.point("broken")
    with serving_live(releases.live) as address:
        for _ in range(3):
            releases.follower.look()
        health = httpx.get(f"{address}/healthz").json()
        assert health["manifest"] == "early"
        assert health["fault"] == "the release broken is not served: broken is no bundle"
        assert httpx.post(f"{address}/v1/chat/completions", json=ASK).json()["system_fingerprint"] == "early"
        assert releases.loaded == ["broken"]  # tried once, not every two seconds
        releases.point("tuned")
        releases.follower.look()
        assert httpx.get(f"{address}/healthz").json()["fault"] is None
    assert releases.live.now.digest == "tuned"


def test_a_release_that_was_taken_back_leaves_no_fault_and_loads_nothing(releases: Releases) -> None:
    releases.point("broken")
    releases.follower.look()
    releases.point("early")
    releases.follower.look()
    assert releases.live.fault == ""
    assert releases.loaded == ["broken"]


def test_what_nobody_foresaw_is_kept_from_strangers_and_the_next_release_is_still_followed(
    releases: Releases, caplog: pytest.LogCaptureFixture
) -> None:
    with releases.follower.following(seconds=0.01):
        releases.point("strange")
        wait_until(lambda: releases.live.fault)
        assert "secret" not in releases.live.fault
        assert "secret detail" in caplog.text
        releases.link.unlink()  # as `threeply clean` does
        wait_until(lambda: "current" in releases.live.fault)
        assert releases.live.now.digest == "early"
        releases.point("tuned")
        wait_until(lambda: releases.live.now.digest == "tuned")
    assert not [thread for thread in threading.enumerate() if thread.name == "following"]


def test_a_folder_that_is_no_link_stands_for_itself(tmp_path: Path) -> None:
    assert release_of(tmp_path) == tmp_path
    (tmp_path / "current").symlink_to("one")
    assert release_of(tmp_path / "current") == tmp_path / "one"
    shutil.rmtree(tmp_path)
    assert release_of(tmp_path / "current") == tmp_path / "current"

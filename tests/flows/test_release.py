"""Protects what is served: a release that fails at any step leaves the one before in place."""

from dataclasses import replace
from pathlib import Path

import pytest

from deploy.answer import Layers
from deploy.bundle import BundledSettings, load_bundle, write_bundle
from deploy.errors import ServeError
from deploy.messages import Message
from deploy.server.run import load_served
from deploy.settings import GenerationSettings, PromptSettings, RetrievalSettings, ServeSettings
from flows.errors import ReleaseError
from flows.history import CURRENT, RELEASES, current, kept, point
from flows.release import candidate, identity
from flows.smoke import alone, ask, complete
from tests.conftest import ROOT, write_tiny_index
from tests.deploy.server.conftest import SETTINGS


def bundle(folder: Path, content: str) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "manifest.json").write_text(content, encoding="utf-8")
    return folder


def released(root: Path, content: str) -> str:
    made = bundle(root / "bundle", content)
    with candidate(root, made) as new:
        new.publish()
    return identity(made)


def test_a_release_is_a_copy_that_current_points_at(tmp_path: Path) -> None:
    name = released(tmp_path, "one")
    assert current(tmp_path) == name
    assert not (tmp_path / CURRENT).readlink().is_absolute()  # the project may be moved
    (tmp_path / "bundle/manifest.json").write_text("changed", encoding="utf-8")
    assert (tmp_path / CURRENT / "manifest.json").read_text(encoding="utf-8") == "one"


def fail(root: Path, made: Path, error: type[BaseException], *, after_the_swap: bool) -> None:
    with candidate(root, made) as new:
        if after_the_swap:
            new.publish()
        raise error("it does not answer")


@pytest.mark.parametrize("after_the_swap", [False, True])
def test_a_failure_brings_back_what_was_served(tmp_path: Path, after_the_swap: bool) -> None:
    first = released(tmp_path, "one")
    made = bundle(tmp_path / "bundle", "two")
    with pytest.raises(ReleaseError):
        fail(tmp_path, made, ReleaseError, after_the_swap=after_the_swap)
    assert current(tmp_path) == first
    assert not (tmp_path / RELEASES / identity(made)).exists()


def test_a_failed_first_release_leaves_nothing(tmp_path: Path) -> None:
    made = bundle(tmp_path / "bundle", "one")
    with pytest.raises(KeyboardInterrupt):
        fail(tmp_path, made, KeyboardInterrupt, after_the_swap=True)
    assert current(tmp_path) is None
    assert [path for path in (tmp_path / RELEASES).iterdir() if path.is_dir()] == []
    assert kept(tmp_path) == ()


def test_a_failure_after_the_swap_does_not_undo_what_somebody_chose_since(tmp_path: Path) -> None:
    first, second = released(tmp_path, "one"), released(tmp_path, "two")
    made = bundle(tmp_path / "bundle", "three")

    def fails() -> None:
        with candidate(tmp_path, made) as new:
            new.publish()
            point(tmp_path / CURRENT, tmp_path / RELEASES / first)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fails()
    assert current(tmp_path) == first
    assert {path.name for path in (tmp_path / RELEASES).iterdir() if path.is_dir()} >= {first, second}


def test_a_release_that_fails_while_somebody_goes_back_takes_nothing_along(tmp_path: Path) -> None:
    first = released(tmp_path, "one")
    second = released(tmp_path, "two")
    made = bundle(tmp_path / "bundle", "three")

    def fails() -> None:
        with candidate(tmp_path, made):
            point(tmp_path / CURRENT, tmp_path / RELEASES / first)
            raise ReleaseError("it does not answer")

    with pytest.raises(ReleaseError):
        fails()
    assert current(tmp_path) == first != second


def test_until_it_goes_live_a_bundle_has_no_name_among_the_releases(tmp_path: Path) -> None:
    first = released(tmp_path, "one")
    with candidate(tmp_path, bundle(tmp_path / "bundle", "two")) as new:
        assert [entry.release for entry in kept(tmp_path)] == [first]
        new.publish()
        assert [entry.release for entry in kept(tmp_path)] == [first, new.name]
    assert not [path for path in (tmp_path / RELEASES).iterdir() if path.name.startswith(".")]


def test_a_damaged_bundle_is_not_released(tmp_path: Path) -> None:
    made = bundle(tmp_path / "bundle", "not a manifest")
    with pytest.raises(Exception, match=r"manifest\.json"), candidate(tmp_path, made) as new:
        new.verify()
    with pytest.raises(ReleaseError, match="is no bundle"):
        identity(tmp_path / "nothing")


def test_a_bundle_that_does_not_answer_is_not_released(tmp_path: Path) -> None:
    made = bundle(tmp_path / "bundle", "{}")
    with pytest.raises(ReleaseError, match="does not answer"), candidate(tmp_path, made) as new:
        new.ask()
    assert current(tmp_path) is None


def test_a_place_named_by_a_relative_path_is_asked_where_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "place").mkdir()
    bundle(tmp_path / "place/bundle", "no JSON")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    place = Path("place")
    damaged = pytest.raises(ReleaseError, match=r"manifest\.json cannot be read")
    with damaged, candidate(place, place / "bundle") as new:
        new.ask()


def test_the_server_of_a_release_has_to_repeat_the_answers_that_were_measured(
    tmp_path: Path,
    tiny_base: Path,
    tiny_adapters: dict[str, Path],
    tiny_embedder: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    write_tiny_index(tmp_path / "index", tiny_embedder, {"svm.SVC": "C=1.0 : float"}, "staff")
    write_bundle(
        tmp_path / "bundle",
        name="tiny",
        base=tiny_base,
        embedder=tiny_embedder,
        knowledge=tmp_path / "index",
        adapters={"sft": tiny_adapters["sft"]},
        settings=BundledSettings(
            precision="float32",
            retrieval=RetrievalSettings(top_k=1, candidates=5, dense_weight=0.5, fusion="scores"),
            prompt=PromptSettings(template="assistant"),
            generation=GenerationSettings(max_new_tokens=6, temperature=0.0, top_p=1.0),
        ),
        gate={},
        ledger={},
    )
    asked = [{"role": "user", "content": "C?"}]
    [answer] = load_bundle(tmp_path / "bundle").answer(
        [[Message("user", "C?")]], model="sft", layers=Layers()
    )
    # `threeply serve` reads params.yaml; neither keys nor limits nor documents added since may count here.
    params = (ROOT / "params.yaml").read_text(encoding="utf-8")
    for name, value in (("keys", "none.json"), ("requests_per_minute", "1"), ("tokens_per_minute", "1")):
        assert f"  {name}: null " in params
        params = params.replace(f"  {name}: null ", f"  {name}: {value} ")
    (tmp_path / "params.yaml").write_text(params, encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.chdir(tmp_path)
    with alone(tmp_path / "bundle") as server:
        with pytest.raises(ReleaseError, match="the server replied 401"):
            complete(replace(server, key="tp-another"), {"messages": asked})
        assert ask(server, "sft", [{"messages": asked, "answer": answer.text}]) == answer.text
        with pytest.raises(ReleaseError, match=r"sft answered 'C\?' with 'other words' when it was measured"):
            ask(server, "sft", [{"messages": asked, "answer": "other words"}])
        begun = {"messages": asked, "answer": answer.text[:3], "whole": False}
        assert ask(server, "sft", [begun]) == answer.text
        with pytest.raises(ReleaseError, match=r"sft answered 'C\?' beginning with 'other words' when"):
            ask(server, "sft", [begun | {"answer": "other words"}])
        with pytest.raises(ReleaseError, match=r"the server replied 404: .*no model is called 'rlhf'"):
            ask(server, "rlhf", [])
    assert not (tmp_path / ".threeply/documents").exists()
    # Its document has a tag: who asks without a key is no one that could hold it.
    keyless = ServeSettings.model_validate({**SETTINGS, "default_model": "auto"})
    with pytest.raises(ServeError, match="some documents have tags"):
        load_served(tmp_path / "bundle", keyless)

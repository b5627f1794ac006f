"""Protects profiles and places: unknown keys are faults, the copy is exact, nothing foreign is touched."""

import os
from pathlib import Path

import pytest

from deploy.errors import SettingsError
from flows.errors import PlaceError
from flows.place import make_place, occupied
from flows.running import Wish, _place
from tasks.machine.settings import overlay
from tasks.settings import check_settings, read_params
from tests.conftest import ROOT


def test_unknown_keys_of_an_overlay_are_faults_of_the_settings() -> None:
    values = overlay(read_params(ROOT / "params.yaml"), {"sft": {"max_row": 2, "prefix": {"tokens": 3}}})
    with pytest.raises(SettingsError) as caught:
        check_settings(values, origin="params.yaml with profiles/p.yaml")
    assert "params.yaml with profiles/p.yaml: 1 setting is wrong" in str(caught.value)
    assert "sft.max_row: unknown key; did you mean max_rows?" in str(caught.value)


@pytest.mark.parametrize("profile", sorted(path.name for path in (ROOT / "profiles").glob("*.yaml")))
def test_every_profile_fits_the_settings(profile: str) -> None:
    values = overlay(read_params(ROOT / "params.yaml"), read_params(ROOT / "profiles" / profile))
    check_settings(values, origin=profile)


def test_a_place_is_a_copy_that_changes_only_where_the_project_did(toy: Path, tmp_path: Path) -> None:
    (toy / "tasks").mkdir()
    (toy / "tasks/a.py").write_text("a", encoding="utf-8")
    (toy / "tasks/b.py").write_text("b", encoding="utf-8")
    place = tmp_path / "place"
    make_place(toy, place, "run: {}\n")
    before = (place / "tasks/a.py").stat().st_mtime_ns
    (toy / "tasks/b.py").unlink()
    (toy / "tasks/c.py").write_text("c", encoding="utf-8")
    make_place(toy, place, "run: {}\n")
    assert sorted(path.name for path in (place / "tasks").iterdir()) == ["a.py", "c.py"]
    assert (place / "tasks/a.py").stat().st_mtime_ns == before
    assert (place / ".dvc/config").exists()


def test_a_folder_with_other_things_and_the_project_itself_are_no_place(toy: Path, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/letter.txt").write_text("dear", encoding="utf-8")
    with pytest.raises(PlaceError, match="is not empty"):
        make_place(toy, tmp_path / "mine", "")
    with pytest.raises(PlaceError, match="holds the project itself"):
        make_place(toy, toy, "")
    assert (tmp_path / "mine/letter.txt").read_text(encoding="utf-8") == "dear"


@pytest.mark.parametrize(
    ("named", "used"), [("", ".threeply/cache"), ("of-all", "of-all"), ("../beside", "../beside")]
)
def test_a_profile_has_a_place_of_its_own_and_shares_the_models(
    toy: Path, monkeypatch: pytest.MonkeyPatch, named: str, used: str
) -> None:
    monkeypatch.setenv("THREEPLY_CACHE", named)
    (toy / "profiles").mkdir()
    (toy / "profiles/small.yaml").write_text("split: {salt: small}\n", encoding="utf-8")
    place = _place(toy, Wish(profile="small"))
    assert place == toy / "build/small"
    assert read_params(place / "params.yaml")["split"]["salt"] == "small"
    assert os.environ["THREEPLY_CACHE"] == str((toy / used).resolve())


def test_a_place_is_not_changed_while_a_run_goes_on_in_it(toy: Path, tmp_path: Path) -> None:
    make_place(toy, tmp_path / "place", "run: {}\n")
    with occupied(tmp_path / "place"), pytest.raises(PlaceError, match="another run is going on"):
        make_place(toy, tmp_path / "place", "run: {seed: 2}\n")
    assert (tmp_path / "place/params.yaml").read_text(encoding="utf-8") == "run: {}\n"


def test_a_link_to_nowhere_is_left_behind(toy: Path, tmp_path: Path) -> None:
    (toy / "sources").mkdir(exist_ok=True)
    (toy / "sources/.#a.md").symlink_to("me@host.123")
    make_place(toy, tmp_path / "place", "run: {}\n")
    assert not (tmp_path / "place/sources/.#a.md").is_symlink()

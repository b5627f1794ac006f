"""Protects the command: words, exit codes, and no traceback for what a person can mend."""

from pathlib import Path

import pytest

from flows.cli import main


def test_check_is_content_with_the_settings_of_the_project(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check"]) == 0
    assert "params.yaml is fine" in capsys.readouterr().out


@pytest.mark.parametrize("command", ["check", "run", "serve", "release", "report", "status"])
def test_each_command_names_all_faults_of_the_settings_first(
    command: str, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = (here / "params.yaml").read_text(encoding="utf-8")
    (here / "params.yaml").write_text(
        text.replace("  top_k:", "  top_kk:").replace("  port: ", "  port: 9"), encoding="utf-8"
    )
    assert main([command]) == 2
    said = capsys.readouterr().err
    assert said.startswith("error: params.yaml: 3 settings are wrong")
    assert "Traceback" not in said


def test_serving_before_a_release_says_what_to_do(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["serve"]) == 1
    assert "make and release a bundle with threeply run" in capsys.readouterr().err


def test_an_unexpected_error_leaves_its_traceback_in_a_file(
    here: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (here / "data/reports/ledger.json").mkdir(parents=True)  # a folder where a file should be
    (here / "params.yaml").unlink()
    (here / "params.yaml").mkdir()
    assert main(["report"]) in (1, 2)
    assert "Traceback" not in capsys.readouterr().err


def test_clean_deletes_nothing_where_no_project_is(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "data/models/theirs").mkdir(parents=True)
    assert main(["clean"]) != 0
    assert "is no project of threeply: there is no dvc.yaml; nothing is deleted" in capsys.readouterr().err
    assert (here / "data/models/theirs").exists()


def test_clean_deletes_what_runs_made_and_nothing_else(here: Path) -> None:
    (here / "dvc.yaml").write_text("stages: {}\n", encoding="utf-8")
    for name in (
        "data/models/sft",
        "data/reports",
        "data/samples",
        ".threeply/work",
        ".threeply/cache",
        "sources",
    ):
        (here / name).mkdir(parents=True)
    (here / "data/README.md").write_text("kept", encoding="utf-8")
    assert main(["clean"]) == 0
    left = {str(path.relative_to(here)) for path in here.rglob("*") if not path.is_dir()}
    assert {"data/README.md", "params.yaml"} <= left
    assert not (here / "data/models").exists()
    assert not (here / "data/samples").exists()
    assert (here / ".threeply/cache").exists()
    assert (here / "sources").exists()


def test_a_server_without_keys_is_for_this_machine_alone(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert here
    assert main(["serve", "--alone", "--host", "0.0.0.0"]) == 2
    assert "--alone needs a host of this machine" in capsys.readouterr().err

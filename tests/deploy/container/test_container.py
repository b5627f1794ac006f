"""Protects the container files: words, ports and paths are those of threeply, and what is built can serve."""

import ast
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tomllib
from importlib.metadata import distributions, packages_distributions, requires
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from deploy.atomic import write_json
from deploy.server.following import END_SECONDS
from deploy.server.listening import SAYING_SO
from flows.cli import parser
from tasks.settings import load_settings
from tests.conftest import ROOT
from tests.deploy.container.dockerfile import read_stages, words_of
from tests.flows.bundles import released_models
from tests.flows.started import serving

FOLDER = ROOT / "deploy/container"
STAGES = read_stages(FOLDER / "Dockerfile")
COMPOSE: dict[str, Any] = yaml.safe_load((FOLDER / "compose.yaml").read_text(encoding="utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
SERVE = load_settings(ROOT / "params.yaml").serve
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PORT = re.compile(r"HTTPConnection as To; to = To\('127\.0\.0\.1', (\d+), ")
COMMANDS = {
    **{f"image {name}": words_of(text) for name, stage in STAGES.items() for text in stage.all("CMD")},
    **{f"service {name}": service["command"] for name, service in SERVICES.items() if name != "prefect"},
}


def healthcheck() -> list[str]:
    """The words of the image's health check."""
    [text] = STAGES["server"].all("HEALTHCHECK")
    return words_of(text.partition("CMD ")[2])


def inherited(name: str, word: str) -> list[str]:
    """What a stage and those that it stands on say behind `word`, the nearest first."""
    found: list[str] = []
    while name in STAGES:
        found += STAGES[name].all(word)
        name = STAGES[name].base
    return found


@pytest.mark.parametrize("what", COMMANDS)
def test_each_command_is_one_that_threeply_understands(what: str) -> None:
    words = COMMANDS[what]
    begins = ["threeply"] if words[0] == "threeply" else ["python", "-m", "flows"]
    assert words[: len(begins)] == begins
    assert PROJECT["project"]["scripts"]["threeply"] == "flows.cli:main"
    assert parser().parse_args(words[len(begins) :]).name in ("serve", "schedule")


def test_all_speak_of_the_same_ports() -> None:
    command = SERVICES["server"]["command"]
    asked = parser().parse_args(command[1:])
    built = parser().parse_args(words_of(STAGES["server"].all("CMD")[0])[1:])
    assert (asked.host, built.host) == ("0.0.0.0", "0.0.0.0")  # or nobody outside reaches it
    checked = PORT.search(healthcheck()[2])
    assert checked is not None
    assert {SERVE.port, asked.port, built.port, int(checked[1]), int(STAGES["server"].all("EXPOSE")[0])} == {
        SERVE.port
    }
    assert SERVICES["server"]["ports"] == [f"127.0.0.1:{SERVE.port}:{SERVE.port}"]  # this machine alone
    assert "127.0.0.1" in SERVE.allowed_hosts  # which the health check calls it by
    assert asked.allowed_host == ["server"]  # as its neighbours do


def test_the_worker_finds_prefects_server() -> None:
    prefect, worker = SERVICES["prefect"], SERVICES["worker"]
    assert prefect["command"] == ["prefect", "server", "start", "--host", "0.0.0.0", "--port", "4200"]
    assert prefect["ports"] == ["127.0.0.1:4200:4200"]
    assert worker["environment"]["PREFECT_API_URL"] == "http://prefect:4200/api"
    assert prefect["environment"]["PREFECT_UI_API_URL"] == "http://127.0.0.1:4200/api"
    checked = PORT.search(prefect["healthcheck"]["test"][3])
    assert checked is not None
    assert checked[1] == "4200"
    assert "/api/health" in prefect["healthcheck"]["test"][3]
    assert worker["depends_on"]["prefect"]["condition"] == "service_healthy"
    assert {*prefect["networks"], *worker["networks"]}.isdisjoint(SERVICES["server"]["networks"])


def test_the_server_has_its_settings_its_releases_and_its_own_folders_and_writes_these_alone() -> None:
    [place] = inherited("server", "WORKDIR")
    mounted = {mount["target"]: mount for mount in SERVICES["server"]["volumes"]}
    for target, mount in mounted.items():
        inside = Path(target).relative_to(place)
        assert (FOLDER / mount["source"]).resolve() == ROOT / inside
        assert mount["bind"] == {"create_host_path": False}  # Docker would make it root's
    writable = {target for target, mount in mounted.items() if not mount.get("read_only")}
    assert writable == {f"{place}/{SERVE.documents}", f"{place}/{SERVE.feedback}"}
    assert {*mounted} - writable == {
        f"{place}/params.yaml",
        f"{place}/{SERVE.bundle.parent}",
        f"{place}/.threeply/keys",
    }
    assert SERVICES["server"]["read_only"] is True
    [worker] = SERVICES["worker"]["volumes"]
    assert (worker["target"], (FOLDER / worker["source"]).resolve()) == (place, ROOT)


def test_nothing_runs_as_root_or_gains_rights() -> None:
    for image in ("server", "worker"):
        assert int(inherited(image, "USER")[0].partition(":")[0]) > 0  # a number can be checked
    for service in SERVICES.values():
        assert service["user"] == "${THREEPLY_USER:-1000:1000}"
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]


def test_docker_waits_until_a_server_that_is_stopped_has_ended() -> None:
    grace = int(SERVICES["server"]["stop_grace_period"].removesuffix("s"))
    assert grace >= SERVE.shutdown_seconds + SAYING_SO + END_SECONDS


def test_what_is_packaged_is_copied_and_nothing_else_can_be() -> None:
    copied = {source for text in STAGES["packages"].all("COPY") for source in text.split()[:-1]}
    found = PROJECT["tool"]["setuptools"]["packages"]["find"]["include"]
    packages = {name.removesuffix("*") for name in found}
    named = {PROJECT["project"]["readme"], *PROJECT["project"]["license-files"]}
    lists = {"requirements.lock", "deploy/container/requirements.txt"}
    assert copied == packages | named | lists | {"pyproject.toml"}
    assert STAGES["server"].all("COPY")[1:] == ["params.yaml ./"]
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    rules = [line for line in ignored if line and not line.startswith("#")]
    assert rules[0] == "*"
    let_in = {rule.removeprefix("!") for rule in rules if rule.startswith("!")}
    assert let_in == {path.partition("/")[0] for path in copied} | {"params.yaml"}
    assert [path for path in let_in if not (ROOT / path).exists()] == []


def closure(names: set[str]) -> set[str]:
    """These distributions and all that they need."""
    found, waiting = set[str](), [canonicalize_name(name) for name in names]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            needed = map(Requirement, requires(name) or [])
            waiting += [
                canonicalize_name(one.name)
                for one in needed
                if one.marker is None or one.marker.evaluate({"extra": ""})
            ]
    return found


@pytest.fixture(scope="module")
def installed() -> set[str]:
    """All distributions that the image `server` has."""
    lines = (FOLDER / "requirements.txt").read_text(encoding="utf-8").splitlines()
    return closure({line for line in lines if not line.startswith("#")})


def test_what_the_image_installs_is_pinned_and_has_neither_trainer_nor_orchestrator(
    installed: set[str],
) -> None:
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8").splitlines()
    pinned = {canonicalize_name(line.partition("==")[0]) for line in lock if "==" in line and line[0] != "#"}
    assert installed - pinned - {"setuptools", "pip"} == set()
    assert installed.isdisjoint({"trl", "prefect", "dvc", "great-expectations", "datasets", "peft"})
    [python] = re.findall(r"\(Python ([\d.]+)", lock[0])
    assert f"ARG PYTHON={python}" in (FOLDER / "Dockerfile").read_text(encoding="utf-8")


def test_all_that_the_runtime_imports_is_in_the_image(installed: set[str]) -> None:
    owners = packages_distributions()
    missing = {
        f"{path.relative_to(ROOT)}: {module}"
        for path in (ROOT / "deploy").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        for module in imported(node)
        if module in owners and not {canonicalize_name(name) for name in owners[module]} & installed
    }
    assert missing - {"deploy/adapters/four_bits.py: bitsandbytes"} == set()  # that is for make extras


def imported(node: ast.AST) -> set[str]:
    """The first part of each module that a statement imports, threeply's own rooms left out."""
    names: list[str] = []
    if isinstance(node, ast.Import):
        names = [alias.name for alias in node.names]
    elif isinstance(node, ast.ImportFrom) and node.module:
        names = [node.module]
    return {name.partition(".")[0] for name in names} - {"deploy", "tasks", "flows"}


def checks(port: int, **variables: str) -> int:
    """How the health check ends where the server listens on another port."""
    program, flag, code = healthcheck()
    assert (program, flag) == ("python", "-c")
    moved = PORT.sub(lambda found: found[0].replace(found[1], str(port)), code)
    return subprocess.run(
        [sys.executable, flag, moved], env={**os.environ, **variables}, check=False, capture_output=True
    ).returncode


@pytest.mark.timeout(1500)  # a real server; a busy machine takes minutes
def test_a_server_with_no_more_than_the_image_has_is_healthy_and_writes_its_folders_alone(
    tmp_path: Path,
    tiny_base: Path,
    tiny_adapters: dict[str, Path],
    tiny_embedder: Path,
    installed: set[str],
) -> None:
    project, log, hidden = tmp_path / "project", tmp_path / "written", tmp_path / "hidden"
    (project / "tmp").mkdir(parents=True)
    (project / "params.yaml").write_bytes((ROOT / "params.yaml").read_bytes())
    name = released_models(project, "tiny", base=tiny_base, embedder=tiny_embedder, adapters=tiny_adapters)
    owners = packages_distributions().items()
    absent = {module for module, names in owners if not {canonicalize_name(one) for one in names} & installed}
    assert {"trl", "prefect", "dvc", "peft", "pandas"} <= absent
    others = {canonicalize_name(one.name) for one in distributions()} - installed - {"threeply", "pip"}
    modules = sorted(absent - {"flows", "tasks", "deploy"})
    write_json(hidden, {"modules": modules, "distributions": sorted(others)})
    variables = {
        "PYTHONPATH": os.pathsep.join(map(str, (Path(__file__).parent / "bare", ROOT))),
        "THREEPLY_HIDDEN": str(hidden),
        "THREEPLY_WRITTEN": str(log),
        "PYTHONDONTWRITEBYTECODE": "1",
        "HOME": str(project / "tmp"),
        "TMPDIR": str(project / "tmp"),
        "TORCHINDUCTOR_CACHE_DIR": str(
            project / "tmp/torchinductor"
        ),  # PyTorch hands down this process's own
        **dict(pair.split("=") for pair in STAGES["server"].all("ENV")[0].split()),
    }
    words = words_of(STAGES["server"].all("CMD")[0])[2:-2]
    assert checks(9) != 0  # nobody listens there
    with serving(project, *words, "--allowed-host", "server", ends_by=signal.SIGTERM, **variables) as address:
        port = int(address.rpartition(":")[2])
        assert checks(port) == 0
        assert checks(port, http_proxy="http://127.0.0.1:9", HTTP_PROXY="http://127.0.0.1:9") == 0
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=400) as client:
            put = client.put("/v1/documents/a.md", json={"title": "Holidays", "text": "Thirty days a year."})
            assert put.is_success
            asked = {"model": "sft", "messages": [{"role": "user", "content": "How many holidays?"}]}
            reply = client.post("/v1/chat/completions", json=asked, headers={"Host": "server:8000"})
            assert reply.json()["system_fingerprint"] == name
            assert client.get("/readyz", headers={"Host": "another"}).status_code == 421
    written = set(log.read_text(encoding="utf-8").splitlines())
    own = [project / str(folder) for folder in (SERVE.documents, SERVE.feedback)]
    may = (*own, project / "tmp", Path("/dev"), Path("/proc"))
    assert [path for path in sorted(written) if not any(Path(path).is_relative_to(one) for one in may)] == []
    assert all(any(Path(path).is_relative_to(folder) for path in written) for folder in own)


def test_the_page_on_serving_says_how_to_start_it() -> None:
    page = (ROOT / "docs/serving.md").read_text(encoding="utf-8")
    assert "docker compose -f deploy/container/compose.yaml up" in page
    made = re.search(r"mkdir -p (.+)", page)
    assert made is not None
    sources = {
        (FOLDER / mount["source"]).resolve().relative_to(ROOT)
        for service in SERVICES.values()
        for mount in service["volumes"]
    }
    assert {str(path) for path in sources} - {"params.yaml", "."} == set(made[1].split())
    assert json.dumps(SERVICES).count("${") == len(SERVICES)  # THREEPLY_USER is the only variable


def test_hadolint_has_nothing_against_the_dockerfile(tmp_path: Path) -> None:
    if (
        hadolint := shutil.which("hadolint", path=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    ) is None:
        pytest.skip("installed by: make extras")
    text = (FOLDER / "Dockerfile").read_text(encoding="utf-8")
    wrong = f"{text}\nRUN cd /tmp && sudo true\n"
    for content, faults in ((text, set()), (wrong, {"DL3003", "DL3004"})):
        (tmp_path / "Dockerfile").write_text(content, encoding="utf-8")
        command = [hadolint, "--no-color", "--format", "json", tmp_path / "Dockerfile"]
        found = subprocess.run(command, capture_output=True, text=True, check=False).stdout
        assert {fault["code"] for fault in json.loads(found)} == faults

"""Protects the house plan: arrows go one way, and nothing heavy is imported before it is needed."""

import sys
import typing
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.interpreter import python

ROOMS = ("deploy", "tasks", "flows")
HEAVY = {
    "accelerate",
    "datasets",
    "dvc",
    "faiss",
    "great_expectations",
    "optuna",
    "pandas",
    "peft",
    "prefect",
    "pyarrow",
    "scipy",
    "sentence_transformers",
    "sklearn",
    "torch",
    "transformers",
    "trl",
}
MODULES = [
    path.relative_to(ROOT).with_suffix("") for room in ROOMS for path in sorted((ROOT / room).rglob("*.py"))
]


def test_the_import_contracts_hold() -> None:
    python(Path(sys.executable).with_name("lint-imports"), "--no-cache")


@pytest.mark.parametrize(
    "code",
    [
        "import tasks.command",
        "from tasks.stages import STAGES, load_stage; [load_stage(name) for name in STAGES]",
        "import deploy.settings, deploy.assistant",
    ],
)
def test_nothing_heavy_is_imported_before_it_is_needed(code: str) -> None:
    loaded = set(python("-c", f"import sys; {code}; print(*sys.modules)").stdout.split())
    assert loaded & HEAVY == set()


def test_help_answers_without_the_stages() -> None:
    told = python(
        "-c",
        "import sys, contextlib\n"
        "from tasks.command import main\n"
        "with contextlib.suppress(SystemExit): main(['--help'])\n"
        "print('LOADED', *sorted(name for name in sys.modules if name.startswith('tasks.')))",
    ).stdout
    usage, _, loaded = told.partition("LOADED")
    assert "  collect\n" in usage
    assert "tasks.prepare.collect" not in loaded.split()


@pytest.mark.parametrize("module", MODULES, ids=str)
def test_each_module_says_what_it_is_and_is_short_enough_to_read(module: Path) -> None:
    text = (ROOT / module.with_suffix(".py")).read_text(encoding="utf-8")
    assert text.lstrip().startswith(('"""', 'r"""')), "the module has no docstring"
    assert len(text.splitlines()) <= 400, "split it: nobody reads so long a file"
    assert module.name not in {"utils", "helpers", "common", "misc", "constants"}


def test_nothing_committed_unpickles() -> None:
    forbidden = ("torch.load(", "pickle.load", "joblib.load", "allow_pickle=True", "weights_only=False")
    found = [
        f"{module}: {word}"
        for module in MODULES
        for word in forbidden
        if word in (ROOT / module.with_suffix(".py")).read_text(encoding="utf-8")
    ]
    assert found == []


def test_the_front_door_alone_lies_flat_in_tasks() -> None:
    flat = {path.name for path in (ROOT / "tasks").iterdir() if path.is_file()}
    assert flat == {"__init__.py", "__main__.py", "command.py", "stages.py", "settings.py", "errors.py"}


@pytest.mark.parametrize("room", ROOMS)
def test_tests_lie_where_the_code_lies(room: str) -> None:
    tested = {path.parent for path in (ROOT / "tests" / room).rglob("test_*.py")}
    places = {folder.relative_to(ROOT / "tests") for folder in tested} - {Path("flows/opened")}
    assert [str(place) for place in sorted(places) if not (ROOT / place).is_dir()] == []


def test_there_is_one_list_of_methods() -> None:
    from tasks.methods import METHODS, MethodName
    from tasks.training.settings import SftSettings

    assert typing.get_args(MethodName) == tuple(METHODS)
    files = {path.stem for path in (ROOT / "tasks/methods").glob("*.py")} - {"__init__", "method", "note"}
    assert files == set(METHODS)
    sections = {name for name, field in SftSettings.model_fields.items() if is_method(field.annotation)}
    assert sections == set(METHODS)
    page = (ROOT / "docs/methods.md").read_text(encoding="utf-8")
    assert [name for name in METHODS if f"`{name}`" not in page] == []


def is_method(kind: object) -> bool:
    """Whether a type is that of a method's settings."""
    from tasks.methods.method import MethodSettings

    return isinstance(kind, type) and issubclass(kind, MethodSettings)


def test_private_names_of_libraries_are_those_that_a_decision_gives_reasons_for() -> None:
    page = ROOT / "docs/decisions/0018-private-names-that-remain.md"
    rows = [line.split("|") for line in page.read_text(encoding="utf-8").splitlines()]
    told = {(row[1].strip(" `"), row[2].strip(" `")) for row in rows if row[1:] and row[1].startswith(" `")}
    used = python("-c", "from tests.private_names import found; [print(*pair) for pair in found()]").stdout
    assert {tuple(line.split()) for line in used.splitlines()} == told

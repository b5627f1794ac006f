"""Tiny rows for fine-tuning."""

from pathlib import Path

import pytest

from deploy.abstention import ABSTENTION
from deploy.messages import Message
from tasks.params import load_settings
from tasks.records import Example
from tasks.settings import Settings
from tasks.tables import write_table


@pytest.fixture(scope="session")
def settings() -> Settings:
    """The project's settings, small enough for a random model of four layers."""
    values = load_settings(Path(__file__).parents[3] / "params.yaml")
    small = {
        "lora": values.sft.lora.model_copy(update={"rank": 4, "trained_layers": 3}),
        "max_rows": 40,
        "counterfactuals": {},
        "validation_rows": 6,
        "max_length": 300,
        "epochs": 1,
        "batch_size": 4,
        "evaluations": 2,
        "checkpoints": 5,
        "patience": 2,
    }
    run = values.run.model_copy(update={"threads": 1, "precision": "float32"})
    return values.model_copy(update={"run": run, "sft": values.sft.model_copy(update=small)})


@pytest.fixture(scope="session")
def examples() -> list[Example]:
    """Forty-eight questions in three kinds, a third of them without an answer."""
    return [example(n) for n in range(48)]


def example(number: int) -> Example:
    """One question; every third has no answer, every other third lies beyond the listed sources."""
    answerable = number % 3 != 0
    document = "svm.SVC" if number % 3 == 1 else "elsewhere"
    return Example(
        id=f"e{number}",
        source="test",
        task="default" if answerable else "absent",
        messages=(
            Message("user", f"In `svm.SVC`, what is the default of `C`? {'tol ' * (number % 7)}"),
            Message("assistant", "`1.0`" if answerable else ABSTENTION),
        ),
        evidence=(document,) if answerable else (),
        quote="C=1.0 :" if answerable else "",
        withheld=(),
        answerable=answerable,
        group=f"g{number}",
    )


@pytest.fixture(scope="session")
def tables(examples: list[Example], tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The rows to train on and those held out, as tables."""
    folder = tmp_path_factory.mktemp("tables")
    write_table(folder / "rows", Example, examples[:42])
    write_table(folder / "held_out", Example, examples[42:])
    return folder / "rows", folder / "held_out"

"""What a search has chosen for fine-tuning: a method with its settings, and what the choice rests on."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from deploy.atomic import write_json
from deploy.files import read_json
from tasks.errors import SourceError
from tasks.methods import METHODS
from tasks.rows.skipped import skip_reason
from tasks.training.settings import AUTO, SftSettings

FILE = "choice.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """The settings of a method that reached the lowest validation loss, and the search that says so."""

    method: str
    settings: Mapping[str, Any]
    validation_loss: float
    trials: int
    tokens: int

    def evidence(self) -> dict[str, Any]:
        """What a report says of where the settings come from."""
        return {
            "settings": dict(self.settings),
            "trials": self.trials,
            "tokens": self.tokens,
            "validation_loss": self.validation_loss,
        }


def write_choice(folder: Path, choice: Choice) -> None:
    """Write what was chosen; no clock stands in it, so equal searches give equal bytes."""
    write_json(folder / FILE, asdict(choice))


def read_choice(folder: Path) -> Choice | None:
    """What was chosen; None where the search was skipped.

    Raises:
        SourceError: there is neither a choice nor a note, or it is damaged.
    """
    if skip_reason(folder):
        return None
    return read_json(folder / FILE, Choice, error=SourceError, advice="run dvc repro search")


def settled(sft: SftSettings, choice: Choice | None) -> SftSettings:
    """`sft` with the method that was chosen; unchanged where params.yaml names one.

    Raises:
        SourceError: there is no choice that fits.
    """
    if sft.method != AUTO:
        return sft
    if choice is None:
        raise SourceError("sft.method is auto, but the search was skipped; run dvc repro search")
    try:
        chosen = METHODS[choice.method].settings.model_validate(dict(choice.settings))
    except (KeyError, ValidationError):
        raise SourceError(
            f"the search has chosen {choice.method} with settings that do not fit; run dvc repro search"
        ) from None
    return sft.model_copy(update={"method": choice.method, choice.method: chosen})

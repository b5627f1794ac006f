"""What a trial is given: its tokens, and the learning rate that suits it best.

Papers give rates for thousands of steps on large models; under another budget they say little, and a table
of methods at unfit rates says less. So each method is tried at several rates for a part of its tokens, and
trained at the one with the lowest validation loss. The test split has no say in it.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from deploy.atomic import write_json
from deploy.files import read_json
from tasks.errors import TrainingError
from tasks.lab.settings import CompareSettings
from tasks.training.settings import SftSettings
from tasks.training.trained import Trained

PROBE = 4000  # tokens that tell how fast a method is
AGAIN = "delete it and run threeply compare again"
PART = 3  # a rate is tried for one part in so many of the tokens


def tokens_within(settings: CompareSettings, tuned: Callable[[int, Path], Trained], work: Path) -> int:
    """The tokens that fit into the budget; where that is a time, a few steps tell how fast the method is."""
    if settings.tokens is not None:
        return settings.tokens
    assert settings.minutes is not None
    kept = work / "budget.json"  # a run that goes on keeps the plan that it had
    if not kept.exists():
        speed = tuned(PROBE, work / "probe").tokens_per_s or 0.0
        write_json(kept, {"tokens": max(int(60 * settings.minutes * speed), 1)})
    return read_json(kept, dict[str, int], error=TrainingError, advice=AGAIN)["tokens"]


def losses_of_rates(
    factors: Sequence[float],
    sft: SftSettings,
    tokens: int,
    tuned: Callable[[int, Path, SftSettings], Trained],
    work: Path,
) -> dict[str, float | None]:
    """The validation loss under each learning rate (`factors` times that of `sft`); None: it went astray.

    A single factor is not tried. `work` keeps what was tried before.

    Raises:
        TrainingError: no rate gave a loss.
    """
    if len(factors) == 1:
        return {f"{factors[0] * sft.chosen.learning_rate:g}": 0.0}
    kept = work / "rates.json"
    found: dict[str, float | None] = {}
    if kept.exists():
        found = read_json(kept, dict[str, float | None], error=TrainingError, advice=AGAIN)
    for factor in factors:
        rate = factor * sft.chosen.learning_rate
        if (name := f"{rate:g}") in found:
            continue
        print(f"learning rate {name}", flush=True)
        given = with_rate(sft, name).model_copy(update={"validation_passes": 1})
        try:
            figures = tuned(tokens // PART, work / f"rate-{name}", given).report.figures
        except TrainingError as error:
            print(f"learning rate {name}: {error}", flush=True)
            loss = None
        else:
            if "validation_loss" not in figures:  # nor will another rate have any
                raise TrainingError(
                    "learning rates are chosen by rows of validation, and none can be used; raise "
                    "split.validation or sft.max_length, or give one rate in compare.rates"
                )
            loss = figures["validation_loss"]
        found[name] = loss if loss is not None and math.isfinite(loss) else None
        write_json(kept, found)
    if all(loss is None for loss in found.values()):
        raise TrainingError(
            f"none of the learning rates {', '.join(found)} gave a loss; add lower compare.rates"
        )
    return found


def best_rate(losses: Mapping[str, float | None]) -> str:
    """The learning rate with the lowest loss."""
    return min(losses, key=lambda name: math.inf if (loss := losses[name]) is None else loss)


def with_rate(sft: SftSettings, rate: str) -> SftSettings:
    """`sft` with another learning rate for its method."""
    return sft.model_copy(update={sft.method: sft.chosen.model_copy(update={"learning_rate": float(rate)})})

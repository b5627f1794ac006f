"""Stage `images`: a head for labels on a vision transformer, trained by one of the adaptation methods."""

import random
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from deploy.errors import SettingsError
from tasks.errors import SourceError
from tasks.machine.device import set_up_torch
from tasks.machine.disk import say_if_unwatched
from tasks.machine.settings import RunSettings
from tasks.methods import METHODS
from tasks.methods.method import Material
from tasks.recipes.heads.metrics import label_figures
from tasks.recipes.heads.pictures import Pictures, digits, folder_pictures
from tasks.recipes.settings import ImagesSettings
from tasks.rows.reports import Report, row_counts, write_report
from tasks.rows.sampling import stratified

DIGITS = range(5, 10)  # those that the tiny model has not seen


def images(
    sources: Path,
    vision: Path,
    *,
    model: Path,
    report: Path,
    method: str,
    run: RunSettings,
    settings: ImagesSettings,
) -> None:
    """Train by one method on pictures with labels; writes adapter, head and what they score.

    Raises:
        SettingsError: the method cannot adapt a vision model.
        SourceError: there are no pictures, or too few of a label.
        TrainingError: there are fewer than two labels, or the loss is no number.
    """
    from tasks.recipes.heads.headed import read_headed
    from tasks.recipes.heads.training import fit
    from tasks.recipes.heads.vision import class_states, load_vit

    chosen = settings.chosen(method)
    if refusal := METHODS[method].refusal("images", chosen):
        raise SettingsError(f"images.methods: {refusal.removeprefix('sft.method ')}")
    device = set_up_torch(run)
    base = load_vit(vision, device)
    shape = {"size": int(base.config.image_size), "channels": int(base.config.num_channels)}
    if settings.folder is None:
        found = digits(DIGITS, **shape)
    else:
        say_if_unwatched(settings.folder, sources, stage="recipes/dvc.yaml")
        found = folder_pictures(settings.folder, **shape)
    train, test = _split(found, settings.test, seed=run.seed)
    drawn = stratified(train, settings.max_rows, key=lambda place: found.labels[place], seed=run.seed)
    seen = [found.labels[place] for place in drawn]
    figures = fit(
        base,
        seen,
        reader=class_states,
        batch=lambda places: found.pixels[[drawn[place] for place in places]],
        lengths=[1] * len(drawn),
        method=METHODS[method],
        chosen=chosen,
        material=Material(tokenizer=None),
        settings=settings,
        run=run,
        device=device,
        folder=model,
    )
    # Measured is what was written: whoever reads it again gets these very figures.
    tuned = read_headed(load_vit(vision, device), model, class_states)
    gold = [found.labels[place] for place in test]
    predicted = tuned.predict([found.pixels[test[start : start + 64]] for start in range(0, len(test), 64)])
    figures |= {
        "method": method,
        **device.figures(),
        **label_figures(gold, predicted, trained_on=seen, seed=run.seed),
    }
    counts = row_counts(
        "picture",
        len(found.labels) + found.unreadable,
        kept=len(test),  # asked in the test
        trained=len(drawn),
        dropped={"no picture": found.unreadable},
        unused={"over images.max_rows": len(train) - len(drawn)},
    )
    write_report(report, Report(stage="images", rows=counts, figures=figures))
    print(f"{method}: accuracy {figures['accuracy']:.3f}, majority {figures['majority']:.3f}")


def _split(found: Pictures, share: float, *, seed: int) -> tuple[list[int], list[int]]:
    """The numbers of the pictures to train on and of those to ask, every label at its share in both.

    Raises:
        SourceError: a label has a single picture.
    """
    places: dict[str, list[int]] = defaultdict(list)
    for place, label in enumerate(found.labels):
        places[label].append(place)
    if few := sorted(label for label, own in places.items() if len(own) < 2):
        raise SourceError(f"images.folder: a label needs two pictures or more; {', '.join(few)} has one")
    asked: list[int] = []
    drawn = random.Random(seed)
    for label in sorted(places):
        count = min(max(1, round(share * len(places[label]))), len(places[label]) - 1)
        asked += drawn.sample(places[label], count)
    left: Sequence[int] = sorted(set(range(len(found.labels))) - set(asked))
    return list(left), sorted(asked)

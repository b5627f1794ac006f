"""Stage `vision`: the vision transformer that `images` adapts, from a folder or trained from nothing."""

from pathlib import Path

from tasks.machine.device import Device, set_up_torch
from tasks.machine.disk import say_if_unwatched
from tasks.machine.settings import RunSettings
from tasks.recipes.settings import ImagesSettings
from tasks.rows.reports import Report, row_counts, write_report

FIRST_DIGITS = range(5)  # what the tiny model sees before; the other digits are the task
SIZE, PATCH, WIDTH, LAYERS = 8, 2, 64, 4
BATCH, RATE, WARMUP = 64, 0.002, 0.3


def vision(sources: Path, *, model: Path, report: Path, run: RunSettings, settings: ImagesSettings) -> None:
    """Copy the model that `images.model` names, or train a tiny one on the digits 0 to 4.

    Raises:
        TrainingError: the named folder holds no vision transformer.
    """
    from tasks.recipes.heads.vision import load_vit

    device = set_up_torch(run)
    if settings.model is not None:
        say_if_unwatched(settings.model, sources, stage="recipes/dvc.yaml:vision")
        found = load_vit(settings.model, device)
        found.save_pretrained(model)
        parameters = sum(part.numel() for part in found.parameters())
        write_report(report, Report(stage="vision", figures={"parameters": parameters}))
        return
    _pretrain(model, report, device, settings, run=run)


def _pretrain(
    folder: Path, report: Path, device: Device, settings: ImagesSettings, *, run: RunSettings
) -> None:
    import torch

    from tasks.recipes.heads.headed import Headed, new_head
    from tasks.recipes.heads.pictures import digits
    from tasks.recipes.heads.training import learn
    from tasks.recipes.heads.vision import class_states, new_vit
    from tasks.training.schedule import schedule

    seen = digits(FIRST_DIGITS, size=SIZE, channels=1)
    model = new_vit(size=SIZE, patch=PATCH, width=WIDTH, layers=LAYERS).to(device.name)
    head = new_head(model, len(FIRST_DIGITS))
    names = tuple(map(str, FIRST_DIGITS))
    headed = Headed(model=model, states=class_states(model, None, None), head=head, labels=names)
    targets = torch.tensor([int(label) for label in seen.labels], device=device.name)
    loss = learn(
        headed,
        lambda rows: seen.pixels[list(rows)],
        targets,
        schedule([1] * len(targets), batch_size=BATCH, epochs=settings.pretraining_epochs, seed=run.seed),
        torch.optim.AdamW([*model.parameters(), *head.parameters()], lr=RATE, weight_decay=0.01),
        warmup=WARMUP,
        run=run,
        device=device,
        work=folder,
    )
    model.save_pretrained(folder)
    figures = {
        "parameters": sum(part.numel() for part in model.parameters()),
        "pretrained_on": list(names),
        "loss": round(loss, 4),
    }
    rows_seen = row_counts("picture", len(targets), trained=len(targets))
    write_report(report, Report(stage="vision", rows=rows_seen, figures=figures))

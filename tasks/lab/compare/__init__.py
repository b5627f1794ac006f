"""Sets the trials of the lab side by side: which method is worth it on these rows, and what papers say."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from deploy.atomic import write_json, write_text
from deploy.files import read_json
from tasks.errors import SourceError
from tasks.lab.compare.claims import judge
from tasks.lab.compare.figures import rows_of
from tasks.lab.compare.page import render
from tasks.lab.settings import UNTUNED, CompareSettings
from tasks.machine.settings import RunSettings


def compare(
    trials: Path, *, methods: Path, page: Path, claims: Path, run: RunSettings, settings: CompareSettings
) -> None:
    """Write the table of the methods as JSON and as a page, and the page of the claims.

    The folder `trials` may hold more than the settings ask for: what an earlier list of methods has left.

    Raises:
        SourceError: a trial's report is missing or damaged.
    """
    wanted = [f"{UNTUNED}-0", *(f"{method}-{seed}" for method in settings.methods for seed in settings.seeds)]
    reports = [_read(trials / f"{name}.json") for name in wanted]
    rows = rows_of(reports, seed=run.seed)
    verdicts = judge(rows)
    write_json(methods, {row.method: row.as_dict() for row in rows})
    write_text(page, render("methods.html", rows=rows, settings=settings))
    write_text(claims, render("claims.html", rows=rows, settings=settings, claims=verdicts))


def _read(path: Path) -> Mapping[str, Any]:
    found = read_json(path, dict[str, Any], error=SourceError, advice="run threeply compare")
    if "scores" not in found:
        raise SourceError(f"{path} cannot be read: it has no scores; run threeply compare")
    return found

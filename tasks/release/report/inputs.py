"""What the page is made from: the files of data/reports, told apart by their names."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from deploy.files import sha256_of
from tasks.errors import SourceError
from tasks.evaluation.answers import AnsweredQuestion, read_answers
from tasks.evaluation.ledger import Ledger, read_ledger
from tasks.rows.reports import Report, read_report


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """All that the stages reported. What a run did not make is None or missing, and the page says so."""

    reports: Mapping[str, Report]
    ledger: Ledger | None
    answers: tuple[AnsweredQuestion, ...]
    curves: Mapping[str, Path]
    sha256: Mapping[str, str]


def read_inputs(paths: Iterable[Path]) -> Inputs:
    """The files at `paths`: `ledger.json`, `answers.jsonl`, `*_curve.csv` and the stages' reports.

    Raises:
        SourceError: a file is missing, is none of these, or cannot be read.
    """
    reports: dict[str, Report] = {}
    curves: dict[str, Path] = {}
    sha256: dict[str, str] = {}
    ledger: Ledger | None = None
    answers: tuple[AnsweredQuestion, ...] = ()
    for path in paths:
        if not path.is_file():
            raise SourceError(f"the report {path} is not there; run dvc repro")
        sha256[path.name] = sha256_of(path)
        if path.name == "ledger.json":
            ledger = read_ledger(path)
        elif path.suffix == ".jsonl":
            answers = tuple(read_answers(path))
        elif path.suffix == ".csv":
            curves[path.stem.removesuffix("_curve")] = path
        elif path.suffix == ".json":
            one = read_report(path)
            reports[one.stage] = one
        else:
            raise SourceError(f"{path} is no report: its name ends in neither .json, .jsonl nor .csv")
    return Inputs(reports=reports, ledger=ledger, answers=answers, curves=curves, sha256=sha256)

"""What Prefect shows of a run: row accounting, the gate, the curves, the ledger and how each stage went."""

import base64
from collections.abc import Iterable
from pathlib import Path

from prefect.artifacts import create_markdown_artifact, create_table_artifact

from flows.stage import Outcome
from tasks.evaluation.ledger import read_ledger
from tasks.evaluation.markdown import ledger_markdown
from tasks.pages.curves import PANELS, draw
from tasks.rows.accounting import accounting_markdown, row_accounting
from tasks.rows.reports import Report, read_report
from tasks.stages import STAGES

REPORTS = Path("data/reports")


def rows(root: Path) -> None:
    """Publish what became of each row, as far as the stages have reported."""
    paths = [path for path in sorted((root / REPORTS).glob("*.json")) if path.stem in STAGES]
    if paths:
        accounting = row_accounting(read_report(path) for path in paths)
        create_markdown_artifact(
            accounting_markdown(accounting), key="rows", description="What became of each row"
        )


def gate(root: Path) -> None:
    """Publish the figures that the gate decided on."""
    path = root / REPORTS / "gate.json"
    if path.exists():
        create_table_artifact(
            gate_table(read_report(path)), key="gate", description="What the gate decided on"
        )


def gate_table(report: Report) -> list[dict[str, str]]:
    """One line a check: what was found, what is allowed and by which setting, and whether it passed."""
    return [
        {
            "check": check["name"],
            "found": str(check["value"]),
            "allowed": str(check["threshold"]),
            "setting": check["key"],
            "passed": "yes" if check["passed"] else "no",
        }
        for check in report.figures["checks"]
    ]


def curves(root: Path) -> None:
    """Publish the training curves as pictures."""
    parts: list[str] = []
    for name in PANELS:
        path = root / REPORTS / f"{name}_curve.csv"
        if path.exists() and (picture := draw(path, name, form="png")):
            parts.append(f"### {name}\n![{name}](data:image/png;base64,{base64.b64encode(picture).decode()})")
    if parts:
        create_markdown_artifact("\n\n".join(parts), key="curves", description="Training curves")


def ledger(root: Path) -> None:
    """Publish what each layer adds."""
    path = root / REPORTS / "ledger.json"
    if path.exists():
        create_markdown_artifact(
            ledger_markdown(read_ledger(path)), key="ledger", description="What each layer adds"
        )


def stages(outcomes: Iterable[Outcome]) -> None:
    """Publish how each stage went and how long it took."""
    table = [
        {
            "stage": each.name,
            "how": each.how,
            "seconds": round(each.seconds, 1),
            "why": ", ".join(each.changes),
        }
        for each in outcomes
    ]
    create_table_artifact(table, key="stages", description="How each stage went")

"""The facts that can be found without asking: the data at hand, the machine, what was measured before."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from deploy.files import parse_json
from tasks.advise.facts import Facts, Goal, Machine, MethodResult
from tasks.evaluation.ledger import read_ledger
from tasks.machine.memory import MIB, available
from tasks.machine.process import cores
from tasks.prepare.collect.folders import files_of
from tasks.prepare.collect_settings import FeedbackSource, FileSource, FolderSource, PackagesSource
from tasks.rows.timings import read_timings
from tasks.settings import Settings

REPORTS = Path("data/reports")
DEFAULT_PARAMETERS = 134_515_008  # of the embedded default, SmolLM2-135M
MINUTES = 30.0
PACKAGE_DOCUMENTS = 1500  # of a package, about: those of the embedded default have 6,174 in four


def detect(root: Path, settings: Settings, machine: Machine, given: Mapping[str, Any]) -> Facts:
    """The facts of the project in `root`; those in `given`, which a person has told, are taken as they are.

    What is neither told nor found is assumed, and said.
    """
    reports, assumed = root / REPORTS, []
    counts, origin = _counts(root, settings)
    values: dict[str, Any] = {
        name: given[name] if name in given else counts[name]
        for name in ("documents", "examples", "preferences")
    }
    guessed = [name for name in counts if name not in given]
    if guessed:
        assumed.append(f"{', '.join(f'{counts[name]:,} {name}' for name in guessed)}: {origin}")
    if "goal" not in given:
        values["goal"] = _goal(values["documents"], values["examples"])
        assumed.append(f"the goal is {values['goal']}: by the data that is there")
    if "minutes" not in given:
        assumed.append(f"training may take {MINUTES:g} minutes")
    base = _read(reports / "base.json").get("figures", {}).get("model", {})
    found = base.get("parameters")
    if "parameters" not in given and found is None:
        assumed.append(f"the base has {DEFAULT_PARAMETERS:,} parameters, as the embedded default")
    other = "parameters" in given and given["parameters"] != found
    if other:
        assumed.append("figures that were measured with another base are left aside")
    return Facts(
        **{"minutes": MINUTES, "parameters": found or DEFAULT_PARAMETERS, **values, **given},
        machine=machine,
        base_is_there=found is not None and not other,
        min_retention=settings.bundle.min_retention,
        assumed=tuple(assumed),
        **({} if other else measured(reports)),
    )


def measured(reports: Path) -> dict[str, Any]:
    """What past runs have measured, as fields of `Facts`."""
    found: dict[str, Any] = {}
    if (reports / "ledger.json").is_file():
        found["ledger"] = read_ledger(reports / "ledger.json")
    names = ("score", "low", "high", "retention", "peak_mib", "tokens_per_s")
    found["methods"] = {
        method: MethodResult(**{name: row[name] for name in names if name in row})
        for method, row in _read(reports / "methods.json").items()
        if {"score", "low", "high", "retention"} <= set(row)
    }
    timings = read_timings(reports / "stages.json")
    figures = _read(reports / "sft.json").get("figures", {})
    rows = sum(
        row["count"] for row in _read(reports / "sft.json").get("rows", ()) if row["outcome"] == "trained"
    )
    if rows and figures.get("tokens"):
        found["row_tokens"] = figures["tokens"] / rows
        found["measured_method"] = figures.get("method", "")
        if "sft" in timings:
            found["tokens_per_s"] = figures["tokens"] / timings["sft"]["seconds"]
    if {"reward", "rlhf"} <= set(timings) and not _skipped(reports / "rlhf.json"):
        chain = [timings[stage]["seconds"] for stage in ("sample", "reward", "rlhf") if stage in timings]
        found["chain_minutes"] = sum(chain) / 60
    return found


def this_machine() -> Machine:
    """The cores, the memory and the GPU of the machine that this runs on."""
    import torch

    gpu = int(torch.cuda.mem_get_info()[1]) // MIB if torch.cuda.is_available() else 0
    return Machine(cores=cores(), memory_mib=available() // MIB, gpu_mib=gpu)


def _goal(documents: int, examples: int) -> Goal:
    if documents and examples:
        return "both"
    return "knowledge" if documents else "skill"


def _counts(root: Path, settings: Settings) -> tuple[dict[str, int], str]:
    """How many rows of each kind there are, and where that is known from."""
    found = _read(root / REPORTS / "collect.json")
    if found:
        kept = {row["kind"]: row["count"] for row in found["rows"] if row["outcome"] == "kept"}
        train = _read(root / REPORTS / "split.json").get("figures", {}).get("splits", {}).get("train", {})
        return {
            "documents": kept.get("document", 0),
            "examples": train.get("examples", kept.get("example", 0)),
            "preferences": train.get("preferences", kept.get("preference", 0)),
        }, "by the last run"
    counts = {"documents": 0, "examples": 0, "preferences": 0}
    for source in settings.collect.sources:
        match source:
            case PackagesSource():
                counts["examples"] += source.max_facts
                counts["preferences"] += source.preferences
                counts["documents"] += PACKAGE_DOCUMENTS * len(source.packages)
            case FolderSource():
                counts["documents"] += len(files_of(source, root)[0])
            case FileSource():
                counts["examples"] += _lines(root / source.path)
            case FeedbackSource():
                counts["preferences"] += _lines(root / source.path)
    return counts, "by collect.sources, where each line of a file counts as an example"


def _lines(path: Path) -> int:
    """The lines of a text file; 0 where it is missing or no text."""
    if path.suffix not in (".jsonl", ".csv", ".tsv") or not path.is_file():
        return 0
    with path.open("rb") as file:
        return sum(1 for line in file if line.strip())


def _skipped(path: Path) -> bool:
    return "skipped" in _read(path).get("figures", {})


def _read(path: Path) -> dict[str, Any]:
    """The JSON object at `path`; empty where there is none."""
    try:
        return parse_json(path.read_bytes(), dict[str, Any])
    except (OSError, ValueError):
        return {}

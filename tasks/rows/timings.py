"""How long each stage took and how much memory it needed; kept apart from the reports that DVC compares."""

from pathlib import Path

from deploy.atomic import write_json
from deploy.files import parse_json


def record_timing(path: Path, stage: str, *, seconds: float, peak_mib: float) -> None:
    """Set the stage's line in the file at `path`; other stages keep theirs."""
    timings = read_timings(path)
    timings[stage] = {"seconds": round(seconds, 1), "peak_mib": round(peak_mib)}
    write_json(path, timings)


def read_timings(path: Path) -> dict[str, dict[str, float]]:
    """Stage -> {seconds, peak_mib} as last measured; empty if nothing was."""
    try:
        return parse_json(path.read_bytes(), dict[str, dict[str, float]])
    except (FileNotFoundError, ValueError):
        return {}

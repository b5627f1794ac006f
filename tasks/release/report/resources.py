"""What each stage took, in time and memory, and what it ran on."""

import platform
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version

from tasks.machine.progress import duration
from tasks.pages.numbers import DASH, mib
from tasks.pages.tables import Line
from tasks.release.report.inputs import Inputs

MACHINE = ("device", "threads", "precision")
VERSIONS = (
    "torch", "transformers", "trl", "peft", "safetensors", "faiss-cpu", "bm25s", "sentence-transformers",
    "dvc", "prefect", "great-expectations", "numpy", "scipy", "scikit-learn", "pandas", "pyarrow",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class StageLine:
    """What a stage took and what it ran on; a dash where nothing was measured."""

    stage: str
    time: str
    memory: str
    machine: tuple[str, ...]


def stage_lines(inputs: Inputs, timings: Mapping[str, Mapping[str, float]]) -> list[StageLine]:
    """What each stage took, in the order of the chain; the total of the times comes last."""
    names = list(dict.fromkeys([*inputs.reports, *timings]))
    result: list[StageLine] = []
    for name in names:
        took = timings.get(name, {})
        figures = inputs.reports[name].figures if name in inputs.reports else {}
        result.append(
            StageLine(
                stage=name,
                time=duration(took["seconds"]) if "seconds" in took else DASH,
                memory=_memory(took.get("peak_mib"), figures.get("estimated_peak_mib")),
                machine=tuple(str(figures.get(key, "")) for key in MACHINE),
            )
        )
    if timings:
        total = sum(took["seconds"] for took in timings.values())
        peak = max(took["peak_mib"] for took in timings.values())
        result.append(
            StageLine(stage="all", time=duration(total), memory=mib(peak), machine=("",) * len(MACHINE))
        )
    return result


def versions() -> list[Line]:
    """Python and the packages that the figures depend on, as installed where the page was written."""
    result = [("python", platform.python_version()), ("machine", f"{platform.system()} {platform.machine()}")]
    for package in VERSIONS:
        try:
            result.append((package, version(package)))
        except PackageNotFoundError:
            result.append((package, "not installed"))
    return result


def _memory(measured: float | None, expected: float | None) -> str:
    """The peak memory of a stage, beside what was expected of it before it started."""
    told = measured is not None and expected is not None
    return mib(measured) + (f" (expected {expected:,.0f})" if told else "")

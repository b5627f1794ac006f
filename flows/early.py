"""Which layers can go live before the chain has ended, and when a release that stands must not give way."""

from dataclasses import dataclass
from pathlib import Path

from deploy.errors import BundleError
from deploy.manifest import Manifest, read_manifest
from flows.history import CURRENT, current
from tasks.release.partial import write_partial
from tasks.rows.skipped import skip_reason
from tasks.settings import load_settings

BASE, RETRIEVER, KNOWLEDGE = (
    Path("data/models/base"),
    Path("data/models/retriever"),
    Path("data/knowledge"),
)
SFT, THRESHOLDS, GATE = Path("data/models/sft"), Path("data/calibration.json"), Path("data/reports/gate.json")


@dataclass(frozen=True, slots=True, kw_only=True)
class Early:
    """A release that is made once the stage `after` has ended, with these layers and models."""

    after: str
    layers: str
    models: tuple[str, ...]

    @property
    def row(self) -> str:
        """Its row on the board."""
        return f"release ({self.after})"

    @property
    def tuned(self) -> bool:
        """Whether it has the fine-tuned model."""
        return "sft" in self.models

    def ready(self, root: Path) -> bool:
        """Whether its stages have made what it needs; one that was skipped has not."""
        return not (self.tuned and skip_reason(root / SFT))

    def fill(self, root: Path, folder: Path) -> None:
        """Write its bundle into `folder`.

        Raises:
            SourceError, BundleError, PromptError: a part is missing or damaged.
        """
        settings = load_settings(root / "params.yaml")
        write_partial(
            folder,
            base=root / BASE,
            embedder=root / RETRIEVER,
            knowledge=root / KNOWLEDGE,
            sft=root / SFT if self.tuned else None,
            thresholds=root / THRESHOLDS if self.tuned else None,
            gate=root / GATE,
            project=root,
            run=settings.run,
            retrieval=settings.retrieval,
            prompt=settings.prompt,
            generation=settings.generation,
            indexing=settings.index,
            settings=settings.bundle,
        )


EARLY = (
    Early(after="knowledge", layers="prompt + retrieval", models=("base",)),
    # Only then: until it is calibrated the tuned model abstains as it happens to.
    Early(after="calibrate", layers="prompt + retrieval + fine-tuning", models=("base", "sft")),
)


def stands_above(root: Path, early: Early) -> str:
    """Why what is released now must not give way to `early`, in a sentence; empty where it may.

    A complete release never gives way to a partial one: whoever asks would lose what the ledger has shown to
    help, for as long as the training takes. Its documents stay those of its own run for that long.
    """
    standing = standing_release(root)
    if standing is None:
        return ""
    name = current(root)
    if not standing.partial:
        return f"{name} is complete: it serves on, with its own documents, until this run is complete as well"
    if len(standing.models) > len(early.models):
        return f"{name} has {standing.models[-1]}, too: it serves on, with its own documents"
    return ""


def standing_release(root: Path) -> Manifest | None:
    """The manifest of what is released; none where no server could read it either."""
    try:
        return read_manifest(root / CURRENT)
    except BundleError:
        return None

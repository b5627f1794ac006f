"""Says what DVC does not see."""

from pathlib import Path


def say_if_unwatched(path: Path, watched: Path, *, stage: str = "collect") -> None:
    """Print that DVC does not see changes of `path` when it lies outside the folder of sources."""
    if not path.resolve().is_relative_to(watched.resolve()):
        print(
            f"{path} lies outside {watched}/, so DVC does not notice when it changes: move it there, or run "
            f"`dvc repro --force {stage}` after a change"
        )

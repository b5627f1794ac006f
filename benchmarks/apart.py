"""A measurement in processes of its own, under the environment that stages run under."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from typing import Any

from tasks.machine.process import environment
from tasks.settings import Settings


def told_by(module: str, words: Sequence[str], settings: Settings, *, processes: int = 1) -> Any:
    """The JSON on the last line that `python -m MODULE WORDS` prints; None if it failed.

    torchrun starts several `processes`.
    """
    torchrun = ["-m", "torch.distributed.run", "--nproc-per-node", str(processes)]
    done = subprocess.run(
        [sys.executable, *(torchrun if processes > 1 else []), "-m", module, *words],
        stdout=subprocess.PIPE,
        text=True,
        check=False,
        env={**os.environ, **environment(settings.run.threads)},
    )
    return None if done.returncode else json.loads(done.stdout.splitlines()[-1])

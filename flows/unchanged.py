"""Whether a run would find everything as it was: then it has ended before Prefect is started.

Importing Prefect, starting its server and going through a flow of cached stages takes ten times as long as
looking at the stages, and its record of a server that ends with the run is read by nobody.
"""

import os
from collections.abc import Sequence
from pathlib import Path

from flows.board import watching
from flows.errors import LockBusyError
from flows.graph import Graph, stale
from flows.history import current, refusal
from flows.release import BUNDLE, identity
from flows.stage import Outcome


def unchanged(
    root: Path, parts: Sequence[tuple[Graph, tuple[str, ...]]], *, publishes: bool, rows: Sequence[str]
) -> bool:
    """Whether the stages called so of each graph, and what is served, are up to date; says so of all `rows`.

    False where that cannot be told, since DVC is at work here, and where the runs are recorded by a server of
    the user's: they want to see this one as well.

    Raises:
        ReleaseError: the run `publishes` a bundle, no stage has to make it, and there is none.
    """
    if os.environ.get("PREFECT_API_URL"):
        return False
    try:
        if any(stale(root, graph, names) for graph, names in parts):
            return False
    except LockBusyError:
        return False
    refused = ""
    if publishes and current(root) != (name := identity(root / BUNDLE)):
        refused = refusal(root, name)
        if not refused:
            return False
    with watching(rows) as board:
        for name in rows:
            board.ended(Outcome(name=name, how="unchanged", seconds=0.0, changes=()))
    print("Nothing has changed since the last run.")
    if refused:
        print(refused)
    return True

"""Where lies what is fetched and what was read before: beside a project, or in one folder for several."""

import os
from pathlib import Path

VARIABLE = "THREEPLY_CACHE"
CACHE = Path(".threeply/cache")  # within a project


def cache_folder(project: Path = Path()) -> Path:
    """The folder that the variable THREEPLY_CACHE names (relative to `project`), else the project's own."""
    return project / (os.environ.get(VARIABLE) or CACHE)

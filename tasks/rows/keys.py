"""Hashes that stand for texts: what is known of millions of rows fits into memory, 16 bytes each."""

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from tasks.rows.hashes import places_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Keys = NDArray[np.bytes_]

BYTES = 16  # 128 bits: no two of any number of texts share them by chance


def key_of(*parts: object) -> bytes:
    """The hash of some texts, or of what JSON can hold, in their order."""
    import xxhash

    return xxhash.xxh3_128_digest(json.dumps(parts, separators=(",", ":")).encode())


def text_keys(texts: Iterable[str]) -> "Keys":
    """The hash of each text."""
    from xxhash import xxh3_128_digest

    return as_keys(b"".join(xxh3_128_digest(text.encode("utf-8", "surrogatepass")) for text in texts))


def as_keys(hashes: bytes | bytearray) -> "Keys":
    """Hashes one behind the other as an array."""
    import numpy as np

    return np.frombuffer(hashes, dtype=f"S{BYTES}")


class KeyMap:
    """Finds the first place at which a key stands among others; None of them stays in memory as an object."""

    def __init__(self, keys: "Keys") -> None:
        import numpy as np

        self._order = np.argsort(keys, kind="stable")  # of equal ones the first place comes first
        self._sorted = keys[self._order]

    def places(self, keys: "Keys") -> "NDArray[np.int64]":
        """For each of `keys` its first place; -1 where it is not there."""
        import numpy as np

        at = places_of(keys, self._sorted)
        return np.where(at < 0, -1, self._order[at]) if len(self._order) else at

    def holds(self, keys: "Keys") -> "NDArray[np.bool_]":
        """Which of `keys` are there."""
        return self.places(keys) >= 0


def joined(keys: "Iterable[Keys]") -> "Keys":
    """Arrays of keys as one."""
    import numpy as np

    return np.concatenate([as_keys(b""), *keys])


def codes(keys: "Keys") -> Any:
    """A number for each key, the same for the same ones, from 0 on in the order of the keys."""
    import numpy as np

    return np.unique(keys, return_inverse=True)[1]

"""Keys as hashes of 96 bits in arrays: ten million of them take 120 MB, and none is met twice by chance."""

import hashlib
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Hashes = NDArray[np.bytes_]

_BYTES = 12
HASH = (
    f"S{_BYTES}"  # numpy's name of the type; hashes are never taken out one by one, which would cut zeros off
)


def hashed(kind: str, text: str) -> bytes:
    """The hash of a text of a kind; the same text of another kind has another."""
    return hashlib.blake2b(f"{kind}|{text}".encode(), digest_size=_BYTES).digest()


def hashes(of: Iterable[bytes]) -> "Hashes":
    """Hashes as an array."""
    import numpy as np

    return np.fromiter(of, HASH)


def hexadecimal(found: "Hashes") -> Any:
    """Hashes as an Arrow array of hexadecimal digits."""
    import numpy as np
    import pyarrow as pa

    digits = found.tobytes().hex().encode()
    ends = np.arange(len(found) + 1, dtype=np.int32) * (2 * _BYTES)
    return pa.StringArray.from_buffers(len(found), pa.py_buffer(ends), pa.py_buffer(digits))


def from_hexadecimal(digits: Any) -> "Hashes":
    """The hashes of an Arrow array of hexadecimal digits.

    Raises:
        ValueError: one is none.
    """
    import numpy as np
    import pyarrow.compute as pc

    lengths = pc.min_max(pc.binary_length(digits)).as_py()
    if len(digits) and set(lengths.values()) != {2 * _BYTES}:
        raise ValueError(f"a key has {lengths['min']} to {lengths['max']} digits, and not {2 * _BYTES}")
    return np.frombuffer(bytes.fromhex("".join(digits.to_pylist())), HASH)


def places_of(wanted: "Hashes", known: "Hashes") -> "NDArray[np.int64]":
    """Where each of the hashes stands among `known`, which ascend; -1 for one that does not."""
    import numpy as np

    if not len(known):
        return np.full(len(wanted), -1)
    found = np.searchsorted(known, wanted).clip(max=len(known) - 1)
    return np.where(known[found] == wanted, found, -1)

"""Files of text as bytes, unpacked where their name says that they are packed."""

import gzip
import io
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tasks.errors import SourceError

_WIDE = (b"\xff\xfe", b"\xfe\xff")


@contextmanager
def text_bytes(path: Path) -> Iterator[io.BufferedReader]:
    """The bytes of a file; they are unpacked as they are read.

    Raises:
        SourceError: it is UTF-16, or what is packed is damaged or cut off.
        OSError: it cannot be opened.
    """
    opener = PACKED.get(path.suffix.lower())
    try:
        with opener(path) if opener else path.open("rb") as file:
            if file.peek(2)[:2] in _WIDE:
                raise SourceError(f"{path} is UTF-16; save it as UTF-8")
            yield file
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise SourceError(f"{path} cannot be unpacked: {error}; copy it anew, none of it is taken") from None


def lines(file: io.BufferedReader, most: int) -> Iterator[tuple[int, bytes | None]]:
    """Each line with its number; None for one of more than `most` bytes, which is never held whole.

    Lines end at LF alone: texts may hold other line separators, which `splitlines` would cut at.
    """
    number = 0
    while line := file.readline(most + 1):
        number += 1
        if len(line) <= most:
            yield number, line
            continue
        while line and not line.endswith(b"\n"):
            line = file.readline(most)
        yield number, None


def _gzip(path: Path) -> io.BufferedReader:
    return io.BufferedReader(gzip.open(path))


def _zstd(path: Path) -> io.BufferedReader:
    import pyarrow as pa

    return io.BufferedReader(_Unpacked(path, pa.CompressedInputStream(pa.OSFile(str(path)), "zstd")))


class _Unpacked(io.RawIOBase):
    """A stream of Arrow as Python has them; what Arrow says of bad data becomes what `gzip` says."""

    def __init__(self, path: Path, stream: Any) -> None:
        self._path, self._stream = path, stream

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        try:
            read = self._stream.read(len(buffer))
        except OSError as error:
            raise EOFError(str(error)) from None
        buffer[: len(read)] = read
        return len(read)

    def close(self) -> None:
        self._stream.close()
        super().close()


PACKED: Mapping[str, Callable[[Path], io.BufferedReader]] = {".gz": _gzip, ".zst": _zstd}

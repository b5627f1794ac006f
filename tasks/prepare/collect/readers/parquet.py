"""Records of Parquet, a batch of rows at a time."""

from collections.abc import Iterator
from pathlib import Path

from tasks.errors import SourceError
from tasks.prepare.collect.readers.record import Fault, Record


def read_parquet(path: Path) -> Iterator[Record | Fault]:
    """The record of each row.

    Raises:
        SourceError: the file is no Parquet, or damaged.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    number = 0
    try:
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches():
                for values in batch.to_pylist():
                    number += 1
                    yield Record(number, values)
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise SourceError(f"{path} cannot be read as Parquet after row {number}: {error}") from None

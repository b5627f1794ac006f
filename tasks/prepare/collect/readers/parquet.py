"""Records of Parquet, a batch of rows at a time."""

from collections.abc import Iterator
from pathlib import Path

from tasks.errors import SourceError
from tasks.prepare.collect.readers.record import Fault, Record, check_names


def read_parquet(path: Path) -> Iterator[Record | Fault]:
    """The record of each row.

    Raises:
        SourceError: the file is no Parquet, or damaged, or two columns have the same name.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    number = 0
    try:
        with pq.ParquetFile(path) as file:
            check_names(path, file.schema_arrow.names)
            for batch in file.iter_batches():
                for values in batch.to_pylist():
                    number += 1
                    yield Record(number, values)
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise SourceError(f"{path} cannot be read as Parquet after row {number}: {error}") from None

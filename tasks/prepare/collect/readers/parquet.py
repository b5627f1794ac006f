"""Records of Parquet, a batch of rows at a time."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tasks.errors import SourceError
from tasks.prepare.collect.readers.record import Fault, Record, check_names

if TYPE_CHECKING:
    import pyarrow as pa


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
                for values in plain_rows(batch, f"{path} after row {number}"):
                    number += 1
                    yield Record(number, values)
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise SourceError(f"{path} cannot be read as Parquet after row {number}: {error}") from None


def plain_rows(batch: "pa.RecordBatch", where: str) -> list[dict[str, Any]]:
    """The rows of a batch of Arrow as values of Python.

    Raises:
        SourceError: it holds a value that Python has none for, such as a day of the year 10000.
    """
    try:
        rows: list[dict[str, Any]] = batch.to_pylist()
    except (OverflowError, KeyError, ValueError) as error:
        if isinstance(error, UnicodeDecodeError):
            raise
        raise SourceError(
            f"{where} holds a value that cannot be read ({error}): a day beyond the years 1 to 9999, an "
            "unknown time zone or two fields of one name; correct or leave out that column"
        ) from None
    return rows

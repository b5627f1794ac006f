"""Source `dataset`: one split of a dataset as Hugging Face keeps it; none of its code is run.

What `save_to_disk` writes is Arrow files beside a state.json; a snapshot of the hub is files of rows, and the
README or their names say of which split they are. Of a dataset of the hub they are brought here first.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from tasks.errors import SourceError
from tasks.machine.disk import say_if_unwatched
from tasks.prepare.collect.files import Records, rows_of
from tasks.prepare.collect.hub_datasets import brought
from tasks.prepare.collect.pieces import About, Given
from tasks.prepare.collect.readers import Fault, Record, read_records
from tasks.prepare.collect.readers.parquet import plain_rows
from tasks.prepare.collect.readme import front_matter
from tasks.prepare.collect.subsets import files_of
from tasks.prepare.collect_settings import DatasetSource

_STATE = "state.json"


def read_dataset(settings: DatasetSource, *, watched: Path, cache: Path) -> Given:
    """The rows of the split that is named; numbers of a class label become its name.

    Copies of files of the hub are kept below `cache`.

    Raises:
        SourceError: the folder is missing, damaged, or has no such split or subset; or its rows have no shape
            that is known.
        DownloadError: the hub cannot be reached, or has no such dataset or revision, or not for us.
    """
    if settings.path is None:
        folder, commit, names = brought(settings, cache=cache)
        source, files = f"hub:{settings.id}", [folder / name for name in names]
        place = {"id": settings.id, "revision": settings.revision, "commit": commit}
    else:
        folder, commit = settings.path, ""
        say_if_unwatched(folder, watched)
        source, files = folder.as_posix(), _in_folder(folder, settings)
        place = {"path": source}
    subset = {"subset": settings.subset} if settings.subset else {}
    figures = {**place, **subset, "split": settings.split, "files": len(files)}
    found = [
        Records(
            name=f"{source}/{path.relative_to(folder).as_posix()}",
            read=partial(_read, folder, path),
            path=path,
        )
        for path in files
    ]
    given = rows_of(source, found, settings, figures=figures)
    return replace(given, about=About(folder=folder, commit=commit))


def _in_folder(folder: Path, settings: DatasetSource) -> list[Path]:
    """The files of the split in a folder of this machine."""
    if not folder.is_dir():
        raise SourceError(
            f"{folder} is not a folder; correct the path of the source `dataset` in params.yaml"
        )
    split = settings.split
    saved = next((place for place in (folder / split, folder) if (place / _STATE).is_file()), None)
    if saved:
        return _saved(saved, split)
    if others := sorted(path.parent.name for path in folder.glob(f"*/{_STATE}")):
        raise SourceError(
            f"{folder} has no split {split!r}: it has {', '.join(others)}; correct this source in params.yaml"
        )
    names = [path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()]
    told = front_matter(folder)
    found = files_of(names, told, subset=settings.subset, split=split, where=folder.as_posix())
    return [folder / name for name in found]


def _read(folder: Path, path: Path) -> Iterator[Record | Fault]:
    """The records of one file of the folder, which they name."""
    name, labels = path.relative_to(folder).as_posix(), _labels(path)
    for entry in _read_arrow(path) if path.suffix == ".arrow" else read_records(path):
        if isinstance(entry, Record):
            yield Record(entry.line, entry.values | _named(entry.values, labels), name)
        else:
            yield replace(entry, file=name)


def _saved(folder: Path, split: str) -> list[Path]:
    """The Arrow files of a dataset that `save_to_disk` has written, in their order."""
    try:
        state = json.loads((folder / _STATE).read_bytes())
        kept, names = state["_split"], [each["filename"] for each in state["_data_files"]]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise SourceError(f"{folder / _STATE} cannot be read: {error}; save the dataset anew") from None
    if kept not in (None, split):
        raise SourceError(f"{folder} is the split {kept!r}, and params.yaml asks for {split!r}")
    files = [folder / name for name in names]
    # A name that leads elsewhere is none that save_to_disk has written.
    if wrong := [path for path in files if path.parent != folder or not path.is_file()]:
        raise SourceError(f"{wrong[0]}, which {folder / _STATE} names, is not there; save the dataset anew")
    return files


def _read_arrow(path: Path) -> Iterator[Record]:
    import pyarrow as pa

    number = 0
    try:
        with pa.OSFile(str(path)) as file, pa.ipc.open_stream(file) as stream:
            for batch in stream:
                for values in plain_rows(batch, f"{path} after row {number}"):
                    number += 1
                    yield Record(number, values)
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise SourceError(f"{path} cannot be read as Arrow after row {number}: {error}") from None


def _labels(path: Path) -> dict[str, Sequence[str]]:
    """The names of the classes of each column that holds their numbers; none where the file does not tell."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        if path.suffix == ".arrow":
            with pa.OSFile(str(path)) as file, pa.ipc.open_stream(file) as stream:
                metadata = stream.schema.metadata
        elif path.suffix == ".parquet":
            metadata = pq.read_schema(path).metadata
        else:
            return {}
        features = json.loads((metadata or {})[b"huggingface"])["info"]["features"]
        return {
            column: feature["names"]
            for column, feature in features.items()
            if isinstance(feature, dict) and feature.get("_type") == "ClassLabel"
        }
    except (pa.ArrowException, OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}  # what is wrong with the file its reader tells


def _named(values: Mapping[str, Any], labels: Mapping[str, Sequence[str]]) -> dict[str, str]:
    numbers = {column: values.get(column) for column in labels}
    return {
        column: labels[column][number]
        for column, number in numbers.items()
        if isinstance(number, int) and 0 <= number < len(labels[column])
    }

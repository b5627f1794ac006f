"""Source `dataset`: one split of a folder as Hugging Face keeps datasets; none of its code is run.

What `save_to_disk` writes is Arrow files beside a state.json; a snapshot of the hub is files of rows whose
names, or whose folders, say of which split they are.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from tasks.errors import SourceError
from tasks.machine.disk import say_if_unwatched
from tasks.prepare.collect.files import Records, rows_of
from tasks.prepare.collect.pieces import Given
from tasks.prepare.collect.readers import READERS, Fault, Record, ending, read_records
from tasks.prepare.collect_settings import DatasetSource

_STATE = "state.json"
_OTHER_SPLITS = ("train", "test", "validation", "valid", "dev", "eval")


def read_dataset(settings: DatasetSource, *, watched: Path) -> Given:
    """The rows of the split that is named; numbers of a class label become its name.

    Raises:
        SourceError: the folder is missing, damaged, or has no such split; or its rows have no shape that
            is known.
    """
    folder, split = settings.path, settings.split
    say_if_unwatched(folder, watched)
    if not folder.is_dir():
        raise SourceError(
            f"{folder} is not a folder; correct the path of the source `dataset` in params.yaml"
        )
    saved = next((place for place in (folder / split, folder) if (place / _STATE).is_file()), None)
    files = _saved(saved, split) if saved else _of_split(folder, split)
    figures = {"path": folder.as_posix(), "split": split, "files": len(files)}
    found = [Records(name=path.as_posix(), read=partial(_read, folder, path), path=path) for path in files]
    return rows_of(folder.as_posix(), found, settings, figures=figures)


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


def _of_split(folder: Path, split: str) -> list[Path]:
    """The files of rows whose path names the split; all of them where no path names any.

    Raises:
        SourceError: there are none, or they name other splits.
    """
    files = sorted(
        path
        for path in folder.rglob("*")
        if path.is_file()
        and ending(path)[0] in READERS
        and not path.relative_to(folder).parts[0].startswith(".")
    )
    mine = [path for path in files if _names(path.relative_to(folder), split)]
    others = [name for name in _OTHER_SPLITS if any(_names(path.relative_to(folder), name) for path in files)]
    others += sorted(path.parent.name for path in folder.glob(f"*/{_STATE}"))
    if mine or (files and not others):
        return mine or files
    told = f"it has {', '.join(others)}" if others else f"no file below it ends in {', '.join(READERS)}"
    raise SourceError(f"{folder} has no split {split!r}: {told}; correct this source in params.yaml")


def _names(path: Path, split: str) -> bool:
    """Whether a word of a path is the split's name: `data/train-00000-of-00002.parquet`."""
    return re.search(rf"(?:^|[^a-zA-Z]){re.escape(split)}(?:[^a-zA-Z]|$)", path.as_posix()) is not None


def _read_arrow(path: Path) -> Iterator[Record]:
    import pyarrow as pa

    number = 0
    try:
        with pa.OSFile(str(path)) as file, pa.ipc.open_stream(file) as stream:
            for batch in stream:
                for values in batch.to_pylist():
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

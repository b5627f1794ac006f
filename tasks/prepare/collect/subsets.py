"""Which files of a dataset of Hugging Face are one split of one subset, by its README or by their names."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from tasks.errors import SourceError
from tasks.prepare.collect.readers import READERS, ending

_OTHER_SPLITS = ("train", "test", "validation", "valid", "dev", "eval")
_WHOLE = "train"  # the split of files that the README gives to none


@dataclass(frozen=True, slots=True, kw_only=True)
class _Subset:
    """A configuration of a README: patterns of files by split, or else all files `below` a folder."""

    is_default: bool
    splits: Mapping[str, Sequence[str]]
    below: str


def files_of(
    names: Iterable[str], told: Mapping[str, Any], *, subset: str, split: str, where: str
) -> list[PurePosixPath]:
    """The files of rows among the `names` of `where` that are the split, in order.

    What the README has `told` in its front matter says so; else the names do, and all files are the split
    where no name tells.

    Raises:
        SourceError: there are none; or there are several subsets, and none of them is named.
    """
    paths = [path for path in map(PurePosixPath, sorted(names)) if path.parts[0][:1] != "."]
    rows = [path for path in paths if ending(path)[0] in READERS]
    known = _subsets(told)
    if not known:
        return _by_name(_in_folder(rows, subset, split, where), split, where)
    found = known.get(subset or _default(known))
    if found is None:
        wanted = f"no subset {subset!r}: it has" if subset else "several subsets:"
        raise SourceError(
            f"{where} has {wanted} {', '.join(known)}; name one of them with `subset` of this source in "
            "params.yaml"
        )
    if not found.splits:
        below = [path for path in rows if path.is_relative_to(found.below)]
        return _by_name(below, split, where)
    if split not in found.splits:
        raise _no_split(where, split, f"it has {', '.join(found.splits)}")
    listed = _matching(paths, found.splits[split], where)
    mine = [path for path in listed if path in rows]
    if not mine:
        others = sorted({path.suffix for path in listed})
        why = (
            f"its files end in {', '.join(others)}" if others else "its README names files that are not there"
        )
        raise _no_split(where, split, f"{why}; what is read ends in {', '.join(READERS)}")
    if len(mine) < len(listed):
        print(
            f"{where}: {len(listed) - len(mine)} files of the split {split} are of formats that are not read"
        )
    return mine


def _subsets(told: Mapping[str, Any]) -> dict[str, _Subset]:
    """The configurations that a README lists; what is no configuration is passed over."""
    listed = told.get("configs")
    found: dict[str, _Subset] = {}
    for each in listed if isinstance(listed, list) else ():
        if isinstance(each, dict) and isinstance(name := each.get("config_name"), str):
            below = str(each.get("data_dir") or "")
            found[name] = _Subset(
                is_default=name == "default" or each.get("default") is True,
                splits=_splits(each.get("data_files"), below),
                below=below,
            )
    return found


def _splits(files: Any, below: str) -> dict[str, list[str]]:
    """The patterns of each split: `data_files` is one, a list of them, or a list of splits with theirs."""
    found: dict[str, list[str]] = {}
    for each in files if isinstance(files, list) else [files]:
        split, patterns = (each.get("split"), each.get("path")) if isinstance(each, dict) else (_WHOLE, each)
        for pattern in patterns if isinstance(patterns, list) else [patterns]:
            if isinstance(split, str) and isinstance(pattern, str):
                found.setdefault(split, []).append((PurePosixPath(below) / pattern).as_posix())
    return found


def _default(known: Mapping[str, _Subset]) -> str:
    """The subset that is meant where none is named; empty where that is not clear."""
    defaults = [name for name, each in known.items() if each.is_default or len(known) == 1]
    return defaults[0] if len(defaults) == 1 else ""


def _matching(paths: Sequence[PurePosixPath], patterns: Sequence[str], where: str) -> list[PurePosixPath]:
    """The files that one of the patterns names, as the hub's own library reads them."""
    from fsspec.utils import glob_translate

    try:
        found = [re.compile(glob_translate(pattern)) for pattern in patterns]
    except (ValueError, re.error) as error:
        raise SourceError(
            f"{where}: its README names files by {', '.join(patterns)}, which cannot be read ({error}); name "
            "the files by sources of kind `file` or `url`"
        ) from None
    return [path for path in paths if any(each.match(path.as_posix()) for each in found)]


def _in_folder(rows: Sequence[PurePosixPath], subset: str, split: str, where: str) -> Sequence[PurePosixPath]:
    """The files below the folder that is the subset; all of them where there is but one."""
    folders = sorted({path.parts[0] for path in rows if len(path.parts) > 1})
    if subset:
        if subset not in folders:
            raise SourceError(
                f"{where} has no subset {subset!r}: its README lists none, and its folders of rows are "
                f"{', '.join(folders) or 'none'}; correct `subset` of this source in params.yaml"
            )
        return [path for path in rows if path.parts[0] == subset]
    # `en/train.jsonl` beside `fr/train.jsonl`: each has the split, and so neither folder is it.
    having = sorted(
        {
            path.parts[0]
            for path in rows
            if len(path.parts) > 1 and _names(path.relative_to(path.parts[0]), split)
        }
    )
    if len(having) > 1 and not any(_names(PurePosixPath(folder), split) for folder in having):
        raise SourceError(
            f"{where} has several subsets: {', '.join(having)}; name one of them with `subset` of this "
            "source in params.yaml"
        )
    return rows


def _by_name(rows: Sequence[PurePosixPath], split: str, where: str) -> list[PurePosixPath]:
    """The files whose path names the split; all of them where no path names any."""
    mine = [path for path in rows if _names(path, split)]
    others = [name for name in _OTHER_SPLITS if any(_names(path, name) for path in rows)]
    if mine or (rows and not others):
        return mine or list(rows)
    readable = f"no file of it ends in {', '.join(READERS)}"
    raise _no_split(where, split, f"it has {', '.join(others)}" if others else readable)


def _no_split(where: str, split: str, told: str) -> SourceError:
    return SourceError(f"{where} has no split {split!r}: {told}; correct this source in params.yaml")


def _names(path: PurePosixPath, split: str) -> bool:
    """Whether a word of a path is the split's name: `data/train-00000-of-00002.parquet`."""
    return re.search(rf"(?:^|[^a-zA-Z]){re.escape(split)}(?:[^a-zA-Z]|$)", path.as_posix()) is not None

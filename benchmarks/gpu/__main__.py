"""What a GPU does: speed, memory against the estimate, and the ways that only a GPU can go.

    python -m benchmarks.gpu [--model data/models/base] [--steps 10] [--write]
    python -m benchmarks.gpu --chain       every stage: reward model, RLHF, evaluation, and the bundle asked

The base of params.yaml and the largest random Llama that fits go on pre-training on random text through the
training of the stage `sft`: LoRA in float32 and bfloat16, QLoRA over four bits, full tuning; with two GPUs,
also with the weights spread over them (NCCL). Each is a process of its own. `--write` writes docs/gpu.md.
With `--chain` the profile `smoke` runs in build/gpu, and it is an error if a stage has not computed on the
GPU. Without a GPU nothing is trained, and it says what it would do on one of `--memory` GiB. The last line is
one JSON object.
"""

import argparse
import json
import random
import sys
import tempfile
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from benchmarks.apart import told_by
from benchmarks.gpu import chain
from benchmarks.gpu.cases import LENGTH, ROWS, Case, expected, model_name, model_shape, planned, sft_settings
from benchmarks.gpu.page import page
from deploy.assistant import Assistant
from deploy.atomic import write_text
from deploy.errors import ThreeplyError
from deploy.prompts.template import load_template
from tasks.machine.memory import MIB, available, peak_mib
from tasks.machine.process import is_first
from tasks.rows.records import Document
from tasks.settings import Settings, load_settings
from tasks.training.memory.estimate import CONTEXT

PAGE = Path("docs/gpu.md")
ROOM = 0.9  # of the memory that is free


def main() -> int:
    """Train every case that fits, or say which ones would be trained."""
    words = argparse.ArgumentParser(prog="python -m benchmarks.gpu", description=__doc__)
    words.add_argument("--model", type=Path, default=Path("data/models/base"))
    words.add_argument("--steps", type=int, default=10)
    words.add_argument("--memory", type=float, default=24.0, help="GiB of the GPU that is not there")
    words.add_argument("--write", action="store_true", help="write docs/gpu.md")
    words.add_argument("--chain", action="store_true", help="run the chain, and ask its bundle")
    words.add_argument("--one", help=argparse.SUPPRESS)  # a case, for a process of its own
    words.add_argument("--at", type=Path, help=argparse.SUPPRESS)  # its folder
    given = words.parse_args()
    settings = load_settings(Path("params.yaml"))
    if given.one:
        case = Case(**json.loads(given.one))
        if not case.steps:
            return _make(case, given.model, given.at)
        return _train(case, given.model, given.at, settings)
    if given.chain:
        return _chain()
    if not given.model.is_dir():
        print(f"{given.model} is not there yet: run `python -m dvc repro base` first", file=sys.stderr)
        print("{}")
        return 0
    import torch

    count = torch.cuda.device_count()
    memory = available("cuda") if count else int(given.memory * 2**30)
    cases = list(planned(given.model, settings, memory=int(ROOM * memory), gpus=count or 1))
    if not count:
        print(f"there is no GPU here; one of {given.memory:g} GiB would train, {ROWS} rows of {LENGTH}:")
        for case in cases:
            needed = expected(case, given.model, settings).peak
            print(f"  {case.method} in {case.precision} on {model_name(case)}: about {needed / MIB:,.0f} MiB")
        print(json.dumps({"would": [asdict(case) for case in cases]}))
        return 0
    found = []
    with tempfile.TemporaryDirectory() as folder:
        for case in cases:
            told = measured(replace(case, steps=given.steps), given.model, Path(folder), settings)
            found += [told] if told else []
    device = f"{count} x {torch.cuda.get_device_name()}"
    text = page(found, device=device, steps=given.steps)
    print(text)
    if given.write:
        write_text(PAGE, text)
    print(json.dumps({"device": device, "cases": found}))
    return 0 if len(found) == len(cases) else 1


def _chain() -> int:
    """Run the chain, and print where its stages have computed; exit 1 if one has not on the GPU."""
    import torch

    if not torch.cuda.is_available():
        print(f"there is no GPU here; the profile smoke would run in {chain.PLACE} on one, and its stages")
        print(f"{', '.join(chain.ON_DEVICE)} would have to compute there; then its bundle is asked")
        print(json.dumps({"would": list(chain.ON_DEVICE)}))
        return 0
    try:
        chain.run(chain.PLACE)
        found, told = chain.stages(chain.PLACE), chain.asked(chain.PLACE)
    except ThreeplyError as error:
        print(error, file=sys.stderr)
        return 1
    print(chain.table(found, told))
    wrong = chain.elsewhere(found, "cuda")
    print(json.dumps({"device": torch.cuda.get_device_name(), "not_there": wrong, "bundle": told}))
    return int(bool(wrong))


def _train(case: Case, model: Path, place: Path, settings: Settings) -> int:
    """Train one case in this process, and print what it took as JSON."""
    import torch
    from transformers.utils import logging

    from tasks.training.tuning.tuning import fine_tune

    logging.set_verbosity_error()
    base = place / case.model if case.model.isdigit() else model
    sft = sft_settings(case, settings, steps=case.steps)
    with tempfile.TemporaryDirectory() as own:
        work = place / "shared" if case.processes > 1 else Path(own)
        tuned = fine_tune(
            [],
            [],
            Assistant(None, None, load_template("plain"), settings.generation),
            base,
            work=work,
            run=settings.run.model_copy(update={"precision": case.precision}),
            settings=sft,
            documents=_texts(base, (case.steps + 2) * ROWS * case.length),
        )
    figures = tuned.report.figures
    told = {
        **asdict(case),
        "parameters": figures["total_parameters"],
        "tokens_per_s": round(tuned.tokens_per_s or 0.0),
        # The estimate counts what CUDA itself takes, which its allocator does not.
        "peak_mib": round(peak_mib("cuda") + CONTEXT / MIB) if torch.cuda.is_available() else None,
        "estimated_mib": expected(case, model, settings).mib,
        "loss_before": figures["validation_loss_before"],
        "loss": figures["validation_loss"],
    }
    if is_first():
        print(json.dumps(told))
    return 0


def _make(case: Case, model: Path, place: Path) -> int:
    """Write a random Llama of the size of the case, with the tokenizer of `model`."""
    import torch
    from transformers import AutoModelForCausalLM

    from deploy.engines.chat import load_tokenizer

    tokenizer = load_tokenizer(model)
    config = model_shape(case, model).config
    config.vocab_size = max(config.vocab_size, len(tokenizer))
    torch.manual_seed(0)
    with torch.device("cuda" if torch.cuda.is_available() else "cpu"):
        made = AutoModelForCausalLM.from_config(config, dtype=torch.bfloat16)
    made.save_pretrained(place / case.model)
    tokenizer.save_pretrained(place / case.model)
    print("{}")
    return 0


def _texts(base: Path, tokens: int) -> list[Document]:
    """Documents of random tokens, at least so many in all."""
    from deploy.engines.chat import load_tokenizer

    tokenizer, drawn = load_tokenizer(base), random.Random(0)
    size = LENGTH // 2
    texts = [
        str(tokenizer.decode([drawn.randrange(3, len(tokenizer)) for _ in range(size)]))
        for _ in range(tokens // size + 1)
    ]
    return [
        Document(id=f"{n:06}", source="random", uri="", title="", text=text, metadata={}, sha256="")
        for n, text in enumerate(texts)
    ]


def measured(case: Case, model: Path, place: Path, settings: Settings) -> dict[str, Any] | None:
    """What a case took; None if it could not be trained."""
    random_model = case.model.isdigit()
    if random_model and not (place / case.model).is_dir():
        _apart(replace(case, steps=0, processes=1), model, place, settings)
    told = _apart(case, model, place, settings)
    if told is None:
        print(
            f"{case.method} in {case.precision} on {model_name(case)} could not be trained", file=sys.stderr
        )
    return told


def _apart(case: Case, model: Path, place: Path, settings: Settings) -> dict[str, Any] | None:
    """What processes of its own have printed for a case last; None if they failed."""
    words = ["--model", str(model), "--at", str(place), "--one", json.dumps(asdict(case))]
    told: dict[str, Any] | None = told_by("benchmarks.gpu", words, settings, processes=case.processes)
    return told


if __name__ == "__main__":
    raise SystemExit(main())

"""What others make of the same prompts: `transformers serve`, and bare `generate` in batches."""

import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from benchmarks.serving.load import Load
from deploy.answer import Layers
from deploy.assistant import Assistant
from deploy.bundle import load_bundle, read_settings
from deploy.errors import ThreeplyError
from deploy.messages import Message, as_dicts
from tasks.machine.process import end_with_parent, environment

START_SECONDS = 120.0


def composed(
    assistant: Assistant, questions: Sequence[Sequence[dict[str, Any]]]
) -> list[list[dict[str, Any]]]:
    """Each conversation as our server hands it to the model: prompt and passages are in it."""
    talks = [[Message(turn["role"], turn["content"]) for turn in question] for question in questions]
    return [
        [dict(turn) for turn in as_dicts(each.messages)] for each in assistant.compose(talks, layers=Layers())
    ]


@contextmanager
def transformers_serve(base: Path, *, dtype: str, threads: int | str, batching: bool) -> Iterator[str]:
    """The address of `transformers serve` for the model in `base`, by default or with continuous batching.

    Raises:
        ThreeplyError: it does not start.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [str(Path(sys.executable).with_name("transformers")), "serve", str(base.resolve())]
    flags = ["--port", str(port), "--host", "127.0.0.1", "--dtype", dtype, "--device", "cpu"]
    with subprocess.Popen(
        [*command, *flags, *(["--continuous-batching"] if batching else [])],
        env={**environment(threads)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        preexec_fn=end_with_parent,  # noqa: PLW1509  (one thread)
    ) as server:
        address = f"http://127.0.0.1:{port}"
        try:
            began = time.monotonic()
            while not _answers(address):
                if server.poll() is not None or time.monotonic() - began > START_SECONDS:
                    raise ThreeplyError(f"it does not start: {' '.join([*command, *flags])} says why")
                time.sleep(0.2)
            yield address
        finally:
            server.terminate()


def bare_generate(
    bundle: Path, prompts: Sequence[list[dict[str, Any]]], *, batch: int, seconds: float, most: int
) -> Load:
    """`generate` of transformers over batches of so many prompts, one after the other, for so many seconds.

    Its first text comes with its last.
    """
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    from deploy.engines.precision import choose_device

    _, dtype = choose_device(read_settings(bundle).precision)
    tokenizer = AutoTokenizer.from_pretrained(bundle / "base", padding_side="left")
    model = AutoModelForCausalLM.from_pretrained(bundle / "base", dtype=getattr(torch, dtype)).eval()
    answers = tokens = at = 0
    times: list[float] = []
    began, used = time.perf_counter(), time.process_time()
    while time.perf_counter() - began < seconds:
        chosen = [prompts[(at + row) % len(prompts)] for row in range(batch)]
        started, at = time.perf_counter(), at + batch
        rows = tokenizer.apply_chat_template(
            chosen, add_generation_prompt=True, padding=True, return_tensors="pt", return_dict=True
        )
        with torch.inference_mode():
            said = model.generate(**rows, max_new_tokens=most, do_sample=False)[
                :, rows["input_ids"].shape[1] :
            ]
        times.append(time.perf_counter() - started)
        answers += batch
        tokens += int((said != tokenizer.pad_token_id).sum())
    middle = sorted(times)[len(times) // 2]
    lasted = time.perf_counter() - began
    return Load(
        clients=batch,
        seconds=lasted,
        answers=answers,
        tokens=tokens,
        refused={},
        first_text=middle,
        whole=middle,
        processor=time.process_time() - used,
    )


def prompts_of(bundle: Path, questions: Sequence[list[dict[str, Any]]]) -> list[list[dict[str, Any]]]:
    """What the assistant of `bundle` makes of each question; the assistant is gone after it."""
    return composed(load_bundle(bundle), questions)


def _answers(address: str) -> bool:
    try:
        return httpx.get(f"{address}/health", timeout=2).status_code == 200
    except httpx.HTTPError:
        return False

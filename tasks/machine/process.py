"""What a stage's process needs before any heavy library is imported."""

import ctypes
import gc
import os
import signal
import sys
from collections.abc import Mapping

QUIET = {
    # No library may speak to the outside, and none may draw bars into the log.
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "HF_HUB_OFFLINE": "1",
    "TRANSFORMERS_OFFLINE": "1",
    "HF_DATASETS_OFFLINE": "1",
    "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    "DVC_NO_ANALYTICS": "1",
    "GX_ANALYTICS_ENABLED": "false",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "DO_NOT_TRACK": "1",
    "RAY_USAGE_STATS_ENABLED": "0",
    "WANDB_MODE": "disabled",
    "TOKENIZERS_PARALLELISM": "false",
    "TQDM_DISABLE": "1",
    "PYTHONUNBUFFERED": "1",
    # What PEFT does inside: it asks by an older name, and misses a file that our adapters need not name.
    "PYTHONWARNINGS": "ignore:`is_gradient_checkpointing` is deprecated:FutureWarning,"
    "ignore:Could not find a config file in base:UserWarning",
}
ALLOCATOR = {
    # Large tensors come from one heap on huge pages: glibc would map and fault them anew at each step.
    "GLIBC_TUNABLES": "glibc.malloc.hugetlb=1",
    "MALLOC_MMAP_MAX_": "0",
    "MALLOC_TOP_PAD_": str(256 * 2**20),
    "MALLOC_TRIM_THRESHOLD_": str(8 * 2**30),
}
# Each length of a batch is a new shape of products, and in bfloat16 two caches keep what was made for 1024 of
# them: oneDNN the code, PyTorch (ideep) what it has prepared. 64 hold what the layers of one step repeat.
CACHES = {"ONEDNN_PRIMITIVE_CACHE_CAPACITY": "64", "LRU_CACHE_CAPACITY": "64"}


def cores() -> int:
    """The cores that this process may use, by its affinity; processes of one torchrun share them."""
    count = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, count // int(os.environ.get("LOCAL_WORLD_SIZE", "1")))


def processes() -> int:
    """How many processes train together, as torchrun says; 1 without it."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def processes_here() -> int:
    """How many of them share this machine."""
    return int(os.environ.get("LOCAL_WORLD_SIZE", "1"))


def rank() -> int:
    """The number of this one of them."""
    return int(os.environ.get("RANK", "0"))


def is_first() -> bool:
    """Whether this is the one of them that writes and speaks."""
    return rank() == 0


def leave_processes() -> None:
    """Take leave of the processes that this one has trained with.

    Threads that still listen to them when the interpreter is taken down can abort it.
    """
    distributed = sys.modules.get("torch.distributed")  # not imported: then there is nothing to leave
    if distributed and distributed.is_available() and distributed.is_initialized():
        distributed.destroy_process_group()


def environment(threads: int | str) -> dict[str, str]:
    """The variables that a stage runs under; thread counts are fixed, since sums depend on them."""
    count = str(cores() if threads == "auto" else threads)
    threads_of = {"OMP_NUM_THREADS": count, "MKL_NUM_THREADS": count}
    return {**QUIET, **ALLOCATOR, **CACHES, **threads_of, "PYTHONHASHSEED": "0"}


def release_memory() -> None:
    """Give back what an earlier training in this process has left, so that the next one needs no more.

    Trainers and models point at each other and wait for the collector; and `ALLOCATOR` keeps the heap, whose
    holes the next model does not quite fit (glibc alone can be told to give its empty pages back).
    """
    gc.collect()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform.startswith("linux") else None
    if trim is not None:
        trim(0)


def restart_with(wanted: Mapping[str, str]) -> None:
    """Replace this process by itself under `wanted`; returns where it already holds.

    The allocator and the OpenMP pool read their variables once, when the process starts.
    """
    marker = "THREEPLY_ENVIRONMENT_SET"
    if os.environ.get(marker) == str(os.getpid()):
        return
    os.environ.update(wanted)
    os.environ[marker] = str(os.getpid())
    os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])  # noqa: S606 (itself, with its own words)


def end_with_parent() -> None:
    """Ask the kernel to end this process when its parent dies (Linux); a stage never outlives its run."""
    if not sys.platform.startswith("linux"):
        return
    parent = os.getppid()
    ctypes.CDLL(None, use_errno=True).prctl(1, signal.SIGTERM)  # 1: PR_SET_PDEATHSIG
    if os.getppid() != parent:
        os.kill(os.getpid(), signal.SIGTERM)

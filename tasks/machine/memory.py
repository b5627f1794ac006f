"""How much memory a process may take: what the machine has free, or what its control group leaves."""

from collections.abc import Iterator
from pathlib import Path

MIB = 2**20
CGROUPS = Path("/sys/fs/cgroup")


def available(device: str = "cpu") -> int:
    """The bytes that this process may have in all, with those that it has; on a GPU those of its memory."""
    if device == "cuda":
        import torch

        return int(torch.cuda.mem_get_info()[0]) + torch.cuda.memory_reserved()
    import psutil

    limits = [*_cgroup_free(Path("/proc/self/cgroup"), CGROUPS), psutil.virtual_memory().available]
    return int(min(limits)) + int(psutil.Process().memory_info().rss)


def folder_bytes(folder: Path) -> int:
    """The bytes of all files below `folder`."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _cgroup_free(membership: Path, root: Path) -> Iterator[int]:
    """What the control groups of this process leave, from its own up to the outermost (both versions)."""
    try:
        lines = membership.read_text(encoding="utf-8").splitlines()
    except OSError:
        return
    for line in lines:
        number, controllers, name = line.split(":", 2)
        if number == "0" and not controllers:
            top, limit, used = root, "memory.max", "memory.current"
        elif "memory" in controllers.split(","):
            top, limit, used = root / "memory", "memory.limit_in_bytes", "memory.usage_in_bytes"
        else:
            continue
        place = top / name.lstrip("/")
        for group in (place, *place.parents):
            if group != top and top not in group.parents:
                break
            free = _free(group, limit, used)
            if free is not None:
                yield free


def _free(group: Path, limit: str, used: str) -> int | None:
    try:
        most = int((group / limit).read_text(encoding="utf-8"))  # no limit is the word `max`
        taken = int((group / used).read_text(encoding="utf-8"))
        return max(most - taken + _cache(group), 0)
    except (OSError, ValueError):
        return None


def _cache(group: Path) -> int:
    """The bytes of files that the kernel gives back when memory is short."""
    for line in (group / "memory.stat").read_text(encoding="utf-8").splitlines():
        name, _, value = line.partition(" ")
        if name in ("inactive_file", "total_inactive_file"):
            return int(value)
    return 0


def peak_mib(device: str = "cpu") -> float:
    """The most memory that this process has had, in MiB; of a GPU what PyTorch has taken."""
    if device == "cuda":
        import torch

        return torch.cuda.max_memory_reserved() / 2**20
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

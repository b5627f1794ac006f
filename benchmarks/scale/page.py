"""The figures as tables for docs/retrieval.md."""

from collections.abc import Mapping
from typing import Any

from tasks.evaluation.markdown import markdown_table
from tasks.pages.numbers import DASH, times

NAMES = {"langchain": "LangChain", "llamaindex": "LlamaIndex"}


def tables(found: Mapping[str, Mapping[str, Any]]) -> str:
    """One row for each size, then what embedding a question costs, the others, and what was added."""
    head = ["made in", "on the disk", "opened in", "memory", "a search (median)", "95 %", "recall@50", "@10"]
    rows = {_count(size): _row(told) for size, told in found.items()}
    lines = markdown_table(head, rows)
    embedding = [told for told in found.values() if "embed_p50_ms" in told]
    if embedding:
        own, plain = embedding[0]["embed_p50_ms"], embedding[0]["plain_embed_p50_ms"]
        told_as = f"{own:.1f} ms (median), by sentence-transformers itself {plain:.1f} ms"
        lines += ["", f"Embedding the question comes on top: {told_as}."]
    if any(told.get(name) for told in found.values() for name in NAMES):
        head = ["ours", *(f"{name}" for name in NAMES.values()), *(f"deleting: {n}" for n in NAMES.values())]
        rows = {_count(size): _beside(told) for size, told in found.items() if any(map(told.get, NAMES))}
        lines += ["", "A search, and a deletion, beside others:", "", *markdown_table(head, rows)]
    if any(told.get("busy") for told in found.values()):
        lines += ["", "Times are a thread's own processor time: the machine did other work."]
    for told in found.values():
        if added := told.get("added"):
            lines += ["", *_added(added)]
    return "\n".join(lines) + "\n"


def _row(told: Mapping[str, Any]) -> list[str]:
    if "search_p50_ms" not in told:
        return [DASH] * 8
    return [
        f"{told['build_seconds']:.0f} s",
        f"{told['disk_mib']:,} MiB",
        f"{told['open_seconds']:.1f} s",
        f"{told['memory_mib']:,} MiB",
        f"{told['search_p50_ms']:.1f} ms",
        f"{told['search_p95_ms']:.1f} ms",
        f"{told['recall_candidates']:.3f}",
        f"{told['recall_10']:.3f}",
    ]


def _beside(told: Mapping[str, Any]) -> list[str]:
    """Ours, and the others with how many times as long they take; a dash where one has failed."""
    if "search_p50_ms" not in told:
        return [DASH] * (1 + 2 * len(NAMES))
    ours, others, deleting = told["search_p50_ms"], [], []
    for name in NAMES:
        theirs = told.get(name) or {}
        if not theirs:
            others.append(DASH)
            deleting.append(DASH)
            continue
        theirs_ms = theirs["search_p50_ms"]
        others.append(f"{theirs_ms:,.1f} ms ({times(theirs_ms / ours)})")
        deleting.append(f"{theirs['delete_one_ms'] + theirs['rebuild_ms']:,.0f} ms")
    return [f"{ours:.1f} ms, deleting {told['delete_p50_ms']:.1f} ms", *others, *deleting]


def _added(added: Mapping[str, Any]) -> list[str]:
    """One row for each number of passages that had been added."""
    head = ["a change (median)", "95 %", "the longest", "a search (median)", "95 %"]
    rows = {
        _count(mark): [
            f"{told['put_p50_ms']:.1f} ms",
            f"{told['put_p95_ms']:.1f} ms",
            f"{told['put_longest_ms']:.0f} ms",
            f"{told['search_p50_ms']:.1f} ms",
            f"{told['search_p95_ms']:.1f} ms",
        ]
        for mark, told in added.items()
        if mark.isdigit()
    }
    deletes = added["deletes"]
    return [
        "Passages added while it is served, without their embedding:",
        "",
        *markdown_table(head, rows),
        "",
        f"Then a deletion takes {deletes['delete_p50_ms']:.1f} ms (median), the longest "
        f"{deletes['longest_ms']:.0f} ms; a server that starts has all of them after "
        f"{added['opened_again_seconds']:.1f} s.",
    ]


def _count(number: str) -> str:
    return f"{int(number):,} passages"

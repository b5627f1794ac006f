"""The figures of speed as tables for docs/cleaning.md."""

from collections.abc import Iterator, Mapping
from typing import Any

from benchmarks.data.beside import DIFFERENCES
from tasks.evaluation.markdown import markdown_table
from tasks.pages.numbers import DASH, fine_percent, mib, times


def tables(found: Mapping[str, Any]) -> str:
    """Stages and steps for each size, then what was found of planted copies, and datatrove beside."""
    sizes: Mapping[str, Mapping[str, Any]] = found["sizes"]
    head = [f"{int(size):,} records" for size in sizes]
    stages = _column_names(sizes, "stages")
    rows = {f"stage `{name}`": [_stage(told, name) for told in sizes.values()] for name in stages}
    rows |= {
        f"step `{name}`": [_step(told, name) for told in sizes.values()]
        for name in _column_names(sizes, "steps")
    }
    lines = markdown_table(head, rows)
    for size, told in sizes.items():
        lines += ["", *_sentences(int(size), told)]
    if beside := found.get("datatrove"):
        lines += ["", *_beside(beside)]
    return "\n".join(lines) + "\n"


def suites(found: Mapping[str, Any]) -> str:
    """A row for each size, with the seconds of Great Expectations and those in which rows are read for it."""
    rows = {
        f"{told['suites_rows']:,} rows": [
            f"{told['suites_seconds'] - told['figures_seconds']:.2f} s",
            f"{told['figures_seconds']:.2f} s",
        ]
        for told in found["sizes"].values()
    }
    return "\n".join(markdown_table(["Great Expectations", "what it judges, read off the rows"], rows)) + "\n"


def scale(found: Mapping[str, Any]) -> str:
    """A row for each stage, with the rate, the memory and the disk of each size."""
    sizes: Mapping[str, Mapping[str, Any]] = found["sizes"]
    head, rows = [], {f"`{name}`": list[str]() for name in _column_names(sizes, "stages")}
    for size, told in sizes.items():
        head += [f"{int(size):,} records", "memory", "disk"]
        for name, row in zip((name.strip("`") for name in rows), rows.values(), strict=True):
            stage = told["stages"][name]
            row += [f"{stage['a_second']:,}/s", mib(stage["memory_mib"]), mib(stage["disk_mib"])]
    return "\n".join(markdown_table(head, rows)) + "\n"


def personal(found: Mapping[str, Any]) -> str:
    """A row for each kind of personal data, and the share of clean texts that were touched."""
    rows = {
        kind: [f"{some['planted']:,}", f"{some['found']:,}", f"{some['found'] / some['planted']:.3f}"]
        for kind, some in found["kinds"].items()
    }
    clean = found["clean"]
    share = fine_percent(clean["touched"] / clean["texts"]) if clean["texts"] else DASH
    reasons = ", ".join(f"{reason} {count:,}" for reason, count in found["reasons"].items()) or "none"
    lines = markdown_table(["planted", "gone", "recall"], rows)
    lines += [
        "",
        f"Of {clean['texts']:,} clean texts {share} were touched. Texts that were dropped: {reasons}.",
    ]
    return "\n".join(lines) + "\n"


def names(found: Mapping[str, Any]) -> str:
    """A row for each form that names have, a column for each way of finding them, and clean texts."""
    rows = {
        form: [
            f"{told['forms'][form]['found']} of {told['forms'][form]['planted']}" for told in found.values()
        ]
        for form in next(iter(found.values()))["forms"]
    }
    touched = [f"{told['clean']['touched']} of {told['clean']['texts']}" for told in found.values()]
    return "\n".join(markdown_table(list(found), rows | {"clean texts touched": touched})) + "\n"


def profanity(found: Mapping[str, Any]) -> str:
    """A row for each disguise and each file, with the texts in which a word was found."""
    rows = {
        name: [f"{count:,} of {whole:,}", fine_percent(count / whole)]
        for part in ("planted", "read")
        for name, (count, whole) in found[part].items()
    }
    return "\n".join(markdown_table(["with such a word", "share"], rows)) + "\n"


def paraphrases(found: Mapping[str, Any]) -> str:
    """A row for each cosine, with what was left out of each kind of question."""
    rows = {
        f"from a cosine of {cosine} on": [f"{count} of {whole}" for count, whole in told.values()]
        for cosine, told in found.items()
    }
    return "\n".join(markdown_table(list(next(iter(found.values()))), rows)) + "\n"


def _column_names(sizes: Mapping[str, Mapping[str, Any]], part: str) -> list[str]:
    return list(dict.fromkeys(name for told in sizes.values() for name in told.get(part, {})))


def _stage(told: Mapping[str, Any], name: str) -> str:
    found = told.get("stages", {}).get(name)
    return f"{found['a_second']:,}/s, {mib(found['peak_mib'])}" if found else DASH


def _step(told: Mapping[str, Any], name: str) -> str:
    found = told.get("steps", {}).get(name)
    return f"{found['a_second']:,}/s" if found else DASH


def _sentences(size: int, told: Mapping[str, Any]) -> Iterator[str]:
    if "steps" not in told:
        yield f"- {size:,} records: it has failed."
        return
    recall = ", ".join(f"{kind} {share:.3f}" for kind, share in told["copies"]["recall"].items())
    right = ", ".join(f"`{step}` {share:.3f}" for step, share in told["copies"]["precision"].items())
    yield (
        f"- {size:,} records: the suites judge {told['suites_rows']:,} rows in {told['suites_seconds']:g} s, "
        f"of which Great Expectations takes {told['suites_seconds'] - told['figures_seconds']:.3g} s; in the "
        f"others what it judges is read off the rows. Steps take up to {mib(told['steps_mib'])}, "
        f"{mib(told['read_mib'])} of them to read the rows."
    )
    yield (
        f"- {told['keys_a_second']:,} groups a second get their split by hash. The stage, which reads and "
        f"writes texts and compares them, makes the rate above; {told.get('split_a_second', 0):,} records a "
        "second with `split.near_groups: null`."
    )
    yield f"- Copies that went: {recall}. Share of what a step dropped that had a copy: {right or DASH}."
    if "apart" in told:
        parted = ", ".join(f"{kind} {share:.3f}" for kind, share in told["apart"].items())
        yield f"- Copies on another side of the split than what they copy: {parted}."


def _beside(told: Mapping[str, Any]) -> Iterator[str]:
    ours, theirs = told["copies"]["ours"]["recall"], told["copies"]["datatrove"]["recall"]
    rows = {
        "records a processor second": [
            f"{told['ours']:,}",
            f"{told['datatrove']:,} (ours: {times(told['ratio'])})",
        ],
        **{f"copies that went: {kind}": [f"{ours[kind]:.3f}", f"{theirs[kind]:.3f}"] for kind in ours},
    }
    yield f"Beside datatrove 0.10.1, {told['records']:,} records, steps {', '.join(told['filters'])}:"
    yield ""
    yield from markdown_table(["ours", "datatrove"], rows)
    yield ""
    if told["datatrove_near"] and told["ours_near"]:
        ratio = times(told["ours_near"] / told["datatrove_near"])
        yield (
            f"Near duplicates alone: our step makes {told['ours_near']:,} records a processor second, its "
            f"MinHash {told['datatrove_near']:,}, files included ({ratio})."
        )
    yield f"What differs: {DIFFERENCES}"

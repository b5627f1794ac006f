"""A corpus in which the search takes every other passage for a better one: which it is can be learned."""

from collections.abc import Sequence
from pathlib import Path

from tasks.rows.records import Example
from tasks.rows.tables import write_table
from tests.conftest import write_tiny_index
from tests.tasks.rows.made import default_asked


def asked(numbers: range, wording: str = "What is C of") -> list[Example]:
    """For each number a question that two documents match; the one with `zz` answers it."""
    return [
        default_asked(f"q{n}", f"{wording} kind{n}?", document=f"right{n}", quote="C=1.0 : zz")
        for n in numbers
    ]


def write_splits(folder: Path, rows: Sequence[Example], held_out: Sequence[Example]) -> None:
    """Write the rows to learn from and those to judge by into `folder`, as a stage is given them."""
    for name, split in (("train", rows), ("validation", held_out)):
        write_table(folder / f"{name}.parquet", Example, list(split))


def write_ambiguous_index(folder: Path, embedder: Path, count: int) -> Path:
    """Fill `folder` with an index of `count` pairs of such documents; half of the wrong ones match better."""
    texts = {}
    for n in range(count):
        more = (f"kind{n} kind{n}", "else else")
        texts[f"wrong{n}"] = f"C=2.0 : xx kind{n} {more[n % 2]}"
        texts[f"right{n}"] = f"C=1.0 : zz kind{n} {more[1 - n % 2]}"
    return write_tiny_index(folder, embedder, texts)

"""The command `threeply rows select`: a small set of rows, chosen out of many, as a source of its own."""

import argparse
import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deploy.atomic import write_text
from deploy.errors import SettingsError
from flows.errors import SelectError
from flows.plain import on_a_line

if TYPE_CHECKING:
    from deploy.knowledge.arrays import Vectors
    from tasks.prepare.selection.choosing import Chooser
    from tasks.prepare.selection.pool import Pool
    from tasks.rows.records import Document, Example

WAYS = ("difficulty", "coverage", "length", "random")
BASE, EMBEDDER, CLEAN = Path("data/models/base"), Path("data/models/embedder"), Path("data/clean/rows")
COUNT, OUT = 1000, Path("sources/curated.jsonl")


def add_flags(parser: argparse.ArgumentParser) -> None:
    """The words that `threeply rows select` understands."""
    parser.add_argument(
        "file", nargs="?", type=Path, metavar="FILE", help="a file of rows (the clean rows of the last run)"
    )
    parser.add_argument(
        "--by",
        choices=WAYS,
        default="difficulty",
        help="difficulty: the base model follows the question worst; coverage: farthest from each other; "
        "length: longest answers; random: the control (difficulty)",
    )
    parser.add_argument("--count", type=int, default=COUNT, metavar="N", help=f"rows to choose ({COUNT})")
    parser.add_argument("--pool", type=int, metavar="N", help="choose among so many, drawn at random (all)")
    parser.add_argument(
        "--keep-lengths", action="store_true", help="answers as long and as short as those of all rows are"
    )
    parser.add_argument(
        "--apart",
        type=float,
        metavar="COSINE",
        help="leave out rows that ask in other words what an earlier one asks, with the same answer: where "
        "the questions have this cosine or more, such as 0.7 (none)",
    )
    parser.add_argument("--seed", type=int, metavar="N", help="of what is drawn (run.seed)")
    parser.add_argument("--out", type=Path, default=OUT, metavar="FILE", help=f"the file to write ({OUT})")


def select_rows(root: Path, settings: Any, words: argparse.Namespace) -> None:
    """Write the chosen rows as JSONL that the source `file` reads, and say how they differ from all others.

    Raises:
        SettingsError: a word is wrong.
        SelectError: there are no rows to choose from, or no model to choose with.
        SourceError: the rows cannot be read.
    """
    from tasks.prepare.selection.choosing import choose
    from tasks.prepare.selection.pool import as_records, pool_of

    _check(root, words)
    seed = settings.run.seed if words.seed is None else words.seed
    examples, documents = _examples(root, settings, words.file)
    pool = pool_of(examples, most=words.pool, seed=seed)
    asked = Asked(root)
    if words.apart is not None and pool.rows:
        pool = _apart(root, pool, asked, words)
    if not pool.rows:
        raise SelectError(
            f"{words.file or CLEAN} has no examples that may be chosen"
            + "".join(f"; {count:,} are {reason}" for reason, count in pool.left_out.items())
        )
    chooser, usable = chooser_of(root, settings, words.by, pool, asked, seed)
    rows = [pool.rows[place] for place in usable]
    lengths = [len(row.answer.split()) for row in rows]
    chosen = choose(chooser, lengths, words.count, keep_lengths=words.keep_lengths)
    records = as_records(rows, chosen, documents, by=words.by)
    write_text(root / words.out, "".join(f"{json.dumps(each, ensure_ascii=False)}\n" for each in records))
    print("\n".join(_told(words, pool, [rows[each.place] for each in chosen])))


def _check(root: Path, words: argparse.Namespace) -> None:
    for name, value in (("count", words.count), ("pool", words.pool)):
        if value is not None and value < 1:
            raise SettingsError(f"--{name} {value} is wrong; it should be 1 or more")
    if words.apart is not None and not 0.0 < words.apart <= 1.0:
        raise SettingsError(
            f"--apart {words.apart:g} is wrong; it should be above 0 and at most 1, such as 0.85"
        )
    if words.out.suffix != ".jsonl":
        raise SettingsError(f"--out {words.out} is wrong; it should end in .jsonl")
    if words.file is not None and (root / words.out).resolve() == (root / words.file).resolve():
        raise SettingsError(f"--out {words.out} is the file to choose from; write to another one")


def _examples(root: Path, settings: Any, file: Path | None) -> "tuple[Sequence[Example], Sequence[Document]]":
    """The examples to choose from, and the documents that they may name."""
    from tasks.prepare.clean.steps import clean_rows
    from tasks.prepare.collect.files import read_file
    from tasks.prepare.collect.pieces import in_memory
    from tasks.prepare.collect_settings import FileSource
    from tasks.rows.records import Document, Example
    from tasks.rows.tables import FILES, read_table

    if file is None:
        found = read_table(root / CLEAN / FILES[Example], Example)
        return found, read_table(root / CLEAN / FILES[Document], Document)
    named = (each for each in settings.collect.sources if isinstance(each, FileSource))
    source = next((each for each in named if (root / each.path).resolve() == file.resolve()), None)
    source = source or FileSource(kind="file", path=file)
    read = in_memory(read_file(source, watched=root / "sources"))
    # The documents of the file's rows are elsewhere: without them every question would lack its evidence.
    steps = [step for step in settings.clean.steps if step != "evidence"]
    cleaned = clean_rows(read.rows, settings.clean.model_copy(update={"steps": steps}))
    lost = len(read.dropped) + len(cleaned.dropped)
    if lost:
        print(f"{lost:,} rows are left out as collect and clean would; threeply gate {file} says why")
    return cleaned.rows.examples, ()


class Asked:
    """The vectors of what rows ask, each made once however often it is wanted."""

    def __init__(self, root: Path) -> None:
        self._folder, self._known = root / EMBEDDER, dict[str, Any]()

    def vectors(self, pool: "Pool") -> "Vectors":
        """One row of unit length for each row of the pool.

        Raises:
            SelectError: there is no embedder.
        """
        import numpy as np

        from deploy.knowledge.embedder import SentenceEmbedder
        from tasks.machine.progress import Progress
        from tasks.rows.identity import asked_text

        texts = [asked_text(row.prompt) for row in pool.rows]
        if new := [text for text in dict.fromkeys(texts) if text not in self._known]:
            if not self._folder.is_dir():
                raise SelectError(
                    f"{EMBEDDER} is not there; run threeply run --only base, or choose --by length "
                    "without --apart"
                )
            progress = Progress(len(new), "questions").update
            made = SentenceEmbedder(self._folder).embed_texts(new, progress=progress)
            self._known |= zip(new, made, strict=True)
        return np.stack([self._known[text] for text in texts])


def chooser_of(
    root: Path, settings: Any, by: str, pool: "Pool", asked: Asked, seed: int
) -> "tuple[Chooser, list[int]]":
    """What chooses, and the places of the rows that it can judge: places of its scores count among those."""
    from tasks.machine.progress import Progress
    from tasks.prepare.selection.choosing import at_random, highest

    whole = list(range(len(pool.rows)))
    match by:
        case "random":
            return at_random(seed), whole
        case "length":
            return highest([float(len(row.answer.split())) for row in pool.rows]), whole
        case "coverage":
            return _covering(asked.vectors(pool)), whole
        case _:
            return _hardest(root, settings, pool, Progress(len(pool.rows), "rows").update)


def _apart(root: Path, pool: "Pool", asked: Asked, words: argparse.Namespace) -> "Pool":
    """The rows that ask what no earlier one asks; of the others the ids are written beside the file."""
    from tasks.prepare.selection.alike import semantic_duplicates

    alike = semantic_duplicates(pool.rows, asked.vectors(pool), near=words.apart)
    told = (
        {
            "id": pool.rows[each.place].id,
            "reason": "semantic_duplicate",
            "detail": f"of {pool.rows[each.of].id}, {each.nearness:.2f}",
        }
        for each in alike
    )
    out = words.out.with_suffix(".left_out.jsonl")
    write_text(root / out, "".join(f"{json.dumps(each, ensure_ascii=False)}\n" for each in told))
    gone = {each.place for each in alike}
    reason = f"ask in other words what an earlier one asks ({out} has them)"
    rows = tuple(row for place, row in enumerate(pool.rows) if place not in gone)
    return replace(pool, rows=rows, left_out={**pool.left_out, reason: len(alike)})


def _covering(vectors: "Vectors") -> "Chooser":
    import numpy as np

    from tasks.prepare.selection.coverage import k_center

    def choose(places: Sequence[int], count: int) -> list[tuple[int, float]]:
        part = np.asarray(places, dtype=np.intp)
        return [(int(part[at]), distance) for at, distance in k_center(vectors[part], count)]

    return choose


def _hardest(root: Path, settings: Any, pool: "Pool", progress: Any) -> "tuple[Chooser, list[int]]":
    """Chooses the hardest of the rows whose question helps; how many those are is said."""
    from deploy.engines.chat import load_tokenizer
    from deploy.engines.loading import load_model
    from tasks.machine.device import set_up_torch
    from tasks.prepare.selection.choosing import highest
    from tasks.prepare.selection.difficulty import difficulties

    if not (root / BASE).is_dir():
        raise SelectError(f"{BASE} is not there; run threeply run --only base, or choose --by length")
    device = set_up_torch(settings.run)
    model = load_model(root / BASE, dtype=device.precision, device=device.name)
    found = difficulties(pool.rows, model, load_tokenizer(root / BASE), progress=progress)
    judged = {place: each.ratio for place, each in enumerate(found) if each is not None}
    usable = [place for place, ratio in judged.items() if ratio <= 1.0]
    if too_long := len(found) - len(judged):
        print(f"{too_long:,} rows are longer than the model's context, and are left out")
    if hindered := len(judged) - len(usable):
        print(f"{hindered:,} rows whose question makes the answer harder (above 1.0) are left out")
    if not usable:
        raise SelectError("there is no row whose question helps the base model; choose --by coverage")
    return highest([judged[place] for place in usable]), usable


def _told(words: argparse.Namespace, pool: "Pool", chosen: "Sequence[Example]") -> Iterator[str]:
    from tasks.prepare.selection.differences import differences

    yield f"{words.out} has {len(chosen):,} of {len(pool.rows):,} rows, chosen by {words.by}"
    if len(chosen) < words.count:
        yield f"  fewer than the {words.count:,} asked for: there are no others to choose from"
    yield from (f"  not to be chosen: {count:,} rows, {reason}" for reason, count in pool.left_out.items())
    yield f"\n{'':<40} {'all':>8} {'chosen':>8}"
    for each in differences(pool.rows, chosen):
        figures = (
            f"{value:.1%}" if each.is_share else f"{value:,.0f}" for value in (each.of_all, each.of_chosen)
        )
        yield f"{on_a_line(each.name, 40):<40} " + " ".join(f"{figure:>8}" for figure in figures)
    yield f"\nTo train on them, name the file in params.yaml: {{kind: file, path: {words.out}}}"

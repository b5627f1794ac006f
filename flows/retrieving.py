"""The command `threeply retrieval`: what retrieval finds, and what it would find with other settings."""

import argparse
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, get_args

from deploy.errors import SettingsError
from deploy.settings import Fusion
from flows.errors import RecallError
from flows.params import PARAMS, write_values
from flows.tried import TOP, Tried, advice, beside, differing, in_words, is_better, table

if TYPE_CHECKING:
    from deploy.settings import RetrievalSettings
    from tasks.rows.records import Example
    from tasks.scoring.recall import Ranked

Number = TypeVar("Number", int, float)
SPLITS, INDEX = Path("data/splits"), Path("data/index")
EMBEDDER, RETRIEVER = Path("data/models/embedder"), Path("data/models/retriever")
WEIGHTS = (0.1, 0.3, 0.5, 0.7, 0.9)
_FEWEST = 20  # questions; with fewer any setting may look best


def add_flags(parser: argparse.ArgumentParser) -> None:
    """The words that `threeply retrieval` understands."""
    parser.add_argument(
        "--split", choices=("train", "validation", "test"), default="validation", help="(validation)"
    )
    parser.add_argument("--source", metavar="NAME", help="only questions of this source")
    parser.add_argument(
        "--dense-weight",
        nargs="+",
        default=WEIGHTS,
        metavar="W",
        help="weights to try, besides the present one",
    )
    parser.add_argument(
        "--fusion",
        nargs="+",
        choices=get_args(Fusion),
        default=(),
        help="ways to mix the weighted two to try, besides the present one",
    )
    parser.add_argument(
        "--chunk-words", nargs="+", default=(), metavar="N", help="lengths of chunks to try: each embeds anew"
    )
    parser.add_argument(
        "--write", action="store_true", help="set what shows more for sure in params.yaml, if anything does"
    )


def show_retrieval(root: Path, settings: Any, words: argparse.Namespace) -> None:
    """Print how often the passage that answers is shown: now by kind of question, and with other settings.

    Where `--write` is among the words, what is better for sure is written into params.yaml.

    Raises:
        SettingsError: a word is wrong.
        RecallError: there is no run to read, or it has too few questions whose passage is known.
    """
    from deploy.knowledge.query_encoder import has_query_encoder
    from deploy.knowledge.reranker import has_reranker
    from tasks.scoring.recall import gain, parts

    if words.write and words.split == "test":
        raise SettingsError("--write with --split test: what is chosen by the test split no longer tests it")
    weights = _numbers("dense-weight", words.dense_weight, float, "a number", 0, 1)
    lengths = _numbers("chunk-words", words.chunk_words, int, "a whole number", 8, 2000)
    rows = _rows(root, words.split, words.source)
    usual, present = settings.retrieval, settings.index.chunk_words
    tried: dict[tuple[float, str, int], Tried] = {}
    for length in dict.fromkeys((present, *lengths)):
        with _index(root, settings, length) as folder:
            for fusion in dict.fromkeys((usual.fusion, *words.fusion)):
                for weight in sorted({usual.dense_weight, *weights}):
                    mixed = usual.model_copy(update={"dense_weight": weight, "fusion": fusion})
                    tried[weight, fusion, length] = Tried(
                        dense_weight=weight,
                        fusion=fusion,
                        chunk_words=length,
                        ranked=_ranked(root / EMBEDDER, settings, rows, folder, mixed),
                    )
    top_k, now = usual.top_k, tried[usual.dense_weight, usual.fusion, present]
    print(f"{len(rows)} questions of the split {words.split}; {top_k} passages show the answer to")
    for name, (share, count) in parts(rows, now.ranked.within(top_k)).items():
        print(f"  {name:<32} {share:.3f} of {count}")
    print("\n" + "\n".join(table(list(tried.values()), now)))
    kinds = {"query encoder": has_query_encoder, "reranker": has_reranker}
    if trained := [name for name, is_there in kinds.items() if is_there(root / RETRIEVER)]:
        served = _ranked(root / RETRIEVER, settings, rows, root / INDEX, usual)
        more = gain(served, now.ranked, top_k=top_k, seed=settings.run.seed)
        print("\n" + "\n".join(beside(trained, served, more, top_k=top_k)))
    best = max(tried.values(), key=lambda each: (each.ranked.share(top_k), each is now))
    more = gain(best.ranked, now.ranked, top_k=top_k, seed=settings.run.seed)
    print("\n" + advice(best, now, more, questions=len(rows), split=words.split))
    if words.write:
        print(_written(root, best, now, better=is_better(best, now, more)))


def _written(root: Path, best: Tried, now: Tried, *, better: bool) -> str:
    """What was written into params.yaml."""
    if not better:
        return "params.yaml stays as it is."
    values = differing(best, now)
    write_values(root / PARAMS, values)
    return f"{PARAMS} has {in_words(values)} now; `threeply status` says what the next run does anew."


def _rows(root: Path, split: str, source: str | None) -> "list[Example]":
    from tasks.rows.records import Example
    from tasks.rows.tables import read_table
    from tasks.scoring.recall import with_evidence

    path = root / SPLITS / split / "examples.parquet"
    if not path.exists() or not (root / INDEX).exists():
        raise RecallError("there is no index to ask yet; make it: threeply run --until index")
    known = with_evidence(read_table(path, Example))
    sources = sorted({row.source for row in known})
    if source is not None and source not in sources:
        raise SettingsError(f"--source {source!r} is wrong; it should be one of {', '.join(sources)}")
    rows = [row for row in known if source in (None, row.source)]
    if len(rows) < _FEWEST:
        raise RecallError(
            f"the split {split} has {len(rows)} questions whose passage is known, and {_FEWEST} are the "
            "least that say something; give your questions the column evidence (docs/test-set.md), or take "
            "another --split"
        )
    return rows


def _ranked(
    embedder: Path, settings: Any, rows: "Sequence[Example]", index: Path, mixed: "RetrievalSettings"
) -> "Ranked":
    from tasks.rows.grounding import composer
    from tasks.scoring.recall import ranked

    assistant = composer(
        index,
        embedder,
        retrieval=mixed.model_copy(update={"top_k": max(*TOP, mixed.top_k)}),
        prompt=settings.prompt,
        generation=settings.generation,
    )
    return ranked(rows, assistant)


@contextmanager
def _index(root: Path, settings: Any, length: int) -> Iterator[Path]:
    """The index with chunks of `length` words: that of the last run, or one made for the time being."""
    from tasks.prepare.index import index

    if length == settings.index.chunk_words:
        yield root / INDEX
        return
    with tempfile.TemporaryDirectory(prefix="threeply-") as made:
        folder = Path(made)
        (folder / "work").mkdir()
        index(
            root / SPLITS / "documents.parquet",
            root / EMBEDDER,
            knowledge=folder / "index",
            report=folder / "report.json",
            work=folder / "work",
            run=settings.run,
            settings=settings.index.model_copy(update={"chunk_words": length}),
        )
        yield folder / "index"


def _numbers(
    flag: str, given: Sequence[Any], kind: type[Number], what: str, least: int, most: int
) -> list[Number]:
    wrong = f"is wrong; it should be {what} from {least} to {most}"
    numbers: list[Number] = []
    for value in given:
        try:
            number = kind(value)
        except ValueError:
            raise SettingsError(f"--{flag} {value!r} {wrong}") from None
        if not least <= number <= most:
            raise SettingsError(f"--{flag} {number:g} {wrong}")
        numbers.append(number)
    return numbers

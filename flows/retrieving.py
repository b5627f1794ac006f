"""The command `threeply retrieval`: what retrieval finds, and what it would find with other settings."""

import argparse
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from deploy.errors import SettingsError
from flows.errors import RecallError
from flows.params import PARAMS, write_numbers

if TYPE_CHECKING:
    from tasks.rows.records import Example
    from tasks.scoring.recall import Ranked
    from tasks.scoring.scores import Interval

Number = TypeVar("Number", int, float)
SPLITS, INDEX = Path("data/splits"), Path("data/index")
EMBEDDER, RETRIEVER = Path("data/models/embedder"), Path("data/models/retriever")
WEIGHTS = (0.1, 0.3, 0.5, 0.7, 0.9)
TOP = (1, 3, 5, 10)
_FEWEST = 20  # questions; with fewer any setting may look best


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """What is found with one weight and one length of chunks."""

    dense_weight: float
    chunk_words: int
    ranked: "Ranked"


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
    from deploy.knowledge.reranker import has_reranker
    from tasks.scoring.recall import gain, parts

    if words.write and words.split == "test":
        raise SettingsError("--write with --split test: what is chosen by the test split no longer tests it")
    weights = _numbers("dense-weight", words.dense_weight, float, "a number", 0, 1)
    lengths = _numbers("chunk-words", words.chunk_words, int, "a whole number", 8, 2000)
    rows = _rows(root, words.split, words.source)
    present = settings.retrieval.dense_weight, settings.index.chunk_words
    tried: dict[tuple[float, int], Tried] = {}
    for length in dict.fromkeys((present[1], *lengths)):
        with _index(root, settings, length) as folder:
            for weight in sorted({present[0], *weights}):
                found = _ranked(root / EMBEDDER, settings, rows, folder, weight)
                tried[weight, length] = Tried(dense_weight=weight, chunk_words=length, ranked=found)
    top_k, now = settings.retrieval.top_k, tried[present]
    print(f"{len(rows)} questions of the split {words.split}; {top_k} passages show the answer to")
    for name, (share, count) in parts(rows, now.ranked.within(top_k)).items():
        print(f"  {name:<32} {share:.3f} of {count}")
    print("\n" + "\n".join(table(list(tried.values()), now)))
    if has_reranker(root / RETRIEVER):
        reranked = _ranked(root / RETRIEVER, settings, rows, root / INDEX, present[0])
        more = gain(reranked, now.ranked, top_k=top_k, seed=settings.run.seed)
        print("\n" + "\n".join(beside(reranked, more, top_k=top_k)))
    best = max(tried.values(), key=lambda each: (each.ranked.share(top_k), each is now))
    more = gain(best.ranked, now.ranked, top_k=top_k, seed=settings.run.seed)
    print("\n" + advice(best, now, more, questions=len(rows), split=words.split))
    if words.write:
        print(_written(root, best, now, better=is_better(best, now, more)))


def table(tried: Sequence[Tried], now: Tried) -> list[str]:
    """One line for each setting that was tried, the present one marked."""
    heads = "  ".join(f"top {k:<3}" for k in TOP)
    lines = [f"  dense_weight  chunk_words  {heads}  words shown"]
    for each in tried:
        mark = "*" if each is now else " "
        setting = f"{each.dense_weight:<12g}  {each.chunk_words:<11}"
        lines.append(f"{mark} {setting}  {_shares(each.ranked)}")
    return [*lines, "* as params.yaml has it"]


def beside(reranked: "Ranked", more: "Interval", *, top_k: int) -> list[str]:
    """The line of the reranker over the present setting, under those of the fusion, and what it adds."""
    return [
        f"  {'reranked':<25}  {_shares(reranked)}",
        f"The reranker over the present setting, which is what is served, shows {_gain(more)} at {top_k}.",
    ]


def advice(best: Tried, now: Tried, more: "Interval", *, questions: int, split: str) -> str:
    """What the figures say to do; a gain that may be chance is no reason to change a setting."""
    if best is now:
        return "None of the others shows more: keep what params.yaml has."
    setting = _told(_differing(best, now))
    said = _gain(more, f", {questions} questions")
    if not is_better(best, now, more):
        return f"The best of them, {setting}, shows {said}: that may be chance, so keep what params.yaml has."
    told = f"With {setting} retrieval shows {said}: set it in params.yaml."
    if split == "test":
        return f"{told} But these are test questions: what is chosen by them flatters; choose by validation."
    return told


def is_better(best: Tried, now: Tried, more: "Interval") -> bool:
    """Whether `best` shows more than what is set now, by a gain that is no chance."""
    from tasks.scoring.scores import verdict

    return best is not now and verdict(more) == "helps"


def _written(root: Path, best: Tried, now: Tried, *, better: bool) -> str:
    """What was written into params.yaml."""
    if not better:
        return "params.yaml stays as it is."
    values = _differing(best, now)
    write_numbers(root / PARAMS, values)
    return f"{PARAMS} has {_told(values)} now; `threeply status` says what the next run does anew."


def _differing(best: Tried, now: Tried) -> dict[str, int | float]:
    """The settings of `best` by their names in params.yaml; the length of chunks where it is another."""
    values: dict[str, int | float] = {"retrieval.dense_weight": best.dense_weight}
    if best.chunk_words != now.chunk_words:
        values["index.chunk_words"] = best.chunk_words
    return values


def _told(values: Mapping[str, int | float]) -> str:
    return " and ".join(f"{name}: {value:g}" for name, value in values.items())


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


def _shares(ranked: "Ranked") -> str:
    shares = "  ".join(f"{ranked.share(k):<7.3f}" for k in TOP)
    return f"{shares}  {ranked.words:.0f} in {TOP[-1]}"


def _gain(more: "Interval", over: str = "") -> str:
    return f"{more.mean:+.3f} (95 % interval {more.low:+.3f} to {more.high:+.3f}{over})"


def _ranked(embedder: Path, settings: Any, rows: "Sequence[Example]", index: Path, weight: float) -> "Ranked":
    from tasks.rows.grounding import composer
    from tasks.scoring.recall import ranked

    wanted = {"dense_weight": weight, "top_k": max(*TOP, settings.retrieval.top_k)}
    assistant = composer(
        index,
        embedder,
        retrieval=settings.retrieval.model_copy(update=wanted),
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

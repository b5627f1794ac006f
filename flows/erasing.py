"""The command `threeply rows erase`: takes rows out of all that runs keep, and searches for what is left."""

import argparse
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from deploy.atomic import remove
from deploy.errors import SettingsError
from deploy.files import sha256_of
from flows.errors import TraceError
from flows.history import RELEASES
from flows.place import occupied
from flows.plain import plain
from tasks.machine.cache import CACHE, cache_folder

if TYPE_CHECKING:
    from tasks.prepare.forgetting.selection import Selected

DATA = Path("data")
# Made by runs, from rows: what holds words of theirs is deleted, and made again by the next run. Half a store
# or half a bundle is none.
WHOLE = tuple(DATA / name for name in ("index", "knowledge", "bundle", "search"))
COPIES = ("sources", "parts")  # below the cache
MADE = (
    DATA,
    Path(".dvc/cache"),
    Path(".threeply/work"),
    *(CACHE / each for each in COPIES),
)
FETCHED = tuple(DATA / "models" / name for name in ("base", "embedder"))  # made from no row
KEPT = (*FETCHED, DATA / "README.md")
SFT, *UPON = (DATA / "models" / name for name in ("sft", "reward", "rlhf"))
MODELS = (SFT, *UPON, DATA / "models/query_encoder", DATA / "models/retriever/reranker")
# Not ours to delete: what people have written, what is served, and what stands in other places.
NEXT = {
    Path("sources"): "take the lines out, or the next run collects them again",
    Path(
        ".threeply/releases"
    ): "the next threeply run releases a bundle without them; delete older releases then",
    Path(".threeply/documents"): "threeply documents delete NAME",
    Path(".threeply/feedback"): "withdraw those ratings",
    Path(".threeply/prefect"): "threeply clean deletes the records of runs",
    Path(".threeply/logs"): "threeply clean deletes the logs",
    Path("build"): "a run in another place has made it: delete it",
}
SHORTEST = 4  # characters of a text that means some rows and not all
LISTED = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """Where words of the rows stand: in `made` files, which can be deleted, and in `others`, by place."""

    made: tuple[Path, ...]
    others: dict[Path, list[Path]] = field(default_factory=dict)


def add_flags(parser: argparse.ArgumentParser) -> None:
    """The words that `threeply rows erase` understands."""
    parser.add_argument(
        "--match", metavar="TEXT", help="rows that hold this text; case and blanks do not matter"
    )
    parser.add_argument("--source", metavar="SOURCE", help="rows of this source")
    parser.add_argument("--id", nargs="+", default=[], metavar="ID", dest="ids", help="rows with these ids")
    parser.add_argument(
        "--apply", action="store_true", help="do it; without, it is only said what would be done"
    )


def erase(root: Path, words: argparse.Namespace) -> bool:
    """Say what would be erased, or erase it; False where words of the rows are left somewhere.

    Raises:
        SettingsError: nothing says which rows are meant, or the text is too short to tell.
        SourceError: no row is meant, or something cannot be searched.
        TraceError: neither a row nor a file holds the text.
        PlaceError: a run is going on.
    """
    from tasks.prepare.forgetting.selection import Wish, select

    if not (words.match or words.source or words.ids):
        raise SettingsError(
            "name the rows to erase: --match TEXT, --source SOURCE or --id ID (all that are given count)"
        )
    if words.match is not None and len(words.match.strip()) < SHORTEST:
        raise SettingsError(f"--match {words.match!r} is wrong; it should have {SHORTEST} characters or more")
    wish = Wish(text=words.match or "", source=words.source or "", ids=tuple(words.ids))
    with occupied(root):
        selected = select(root / DATA, wish)
        found = search(root, selected, aside=_tables(root))
        if not (selected.rows or found.made or found.others):
            raise TraceError(f"no row and no file of this project holds {words.match!r}")
        print("\n".join(_told(root, selected, found, done=words.apply)))
        if not words.apply:
            print("\nNothing was changed. The same words with --apply erase them.")
            return True
        for path in found.made:
            remove(root / path)
        _take_out(root, selected)  # last: if this is killed, the same words still find the rest
        left = search(root, selected, aside=())
    print("\n".join(_proof(left)))
    return not left.made and not left.others


def _shared(root: Path) -> tuple[Path, ...]:
    """Where copies of sources and parts of them lie, if a variable has them elsewhere than in the project."""
    cache = cache_folder(root).resolve()
    return () if cache == (root / CACHE).resolve() else tuple(cache / each for each in COPIES)


def search(root: Path, selected: "Selected", *, aside: Collection[Path]) -> Found:
    """Every file of the project that holds words of the rows, or may; those `aside` are not looked into.

    Nor are the files of downloaded models, wherever a copy of them lies: a vocabulary has every name in it.
    """
    from tasks.prepare.forgetting.texts import is_half, texts_in

    fetched = _sums(path for folder in FETCHED for path in (root / folder).rglob("*") if path.is_file())
    made: dict[Path, None] = {}
    others: dict[Path, list[Path]] = {}
    for place in (*MADE, *_shared(root), *NEXT):
        for path in sorted(path for path in (root / place).rglob("*") if path.is_file()):
            name = path.relative_to(root) if path.is_relative_to(root) else path
            if path in aside or any(name.is_relative_to(each) for each in (*KEPT, *made)):
                continue
            copied = path.stat().st_size in fetched and sha256_of(path) in fetched[path.stat().st_size]
            if copied or not (is_half(path) or selected.holds(texts_in(path))):
                continue
            if place in NEXT:
                others.setdefault(place, []).append(name)
            else:
                made[next((each for each in WHOLE if name.is_relative_to(each)), name)] = None
    return Found(made=tuple(made), others=others)


def _sums(paths: Iterable[Path]) -> dict[int, set[str]]:
    """The checksums of files, by their size."""
    found: dict[int, set[str]] = {}
    for path in paths:
        found.setdefault(path.stat().st_size, set()).add(sha256_of(path))
    return found


def _tables(root: Path) -> list[Path]:
    """The tables of rows, and of those that went no further: these are mended."""
    from tasks.prepare.forgetting.selection import row_tables
    from tasks.prepare.tracing.stored import LOST

    return [*row_tables(root / DATA), *(root / DATA / place for place in LOST.values())]


def _take_out(root: Path, selected: "Selected") -> None:
    """Take the rows out of every table of rows, and of those that went no further."""
    from tasks.prepare.forgetting.selection import row_tables, take_out, without
    from tasks.prepare.tracing.stored import LOST
    from tasks.rows.records import Dropped
    from tasks.rows.tables import read_table, write_table

    for path in row_tables(root / DATA):
        take_out(path, selected)
    for path in (root / DATA / place for place in LOST.values()):
        if path.is_file():
            told = read_table(path, Dropped)
            if (left := without(told, selected)) != told:
                write_table(path, Dropped, left)


def _told(root: Path, selected: "Selected", found: Found, *, done: bool) -> Iterator[str]:
    from tasks.prepare.forgetting.texts import is_half

    does = ("are erased", "is deleted") if done else ("would be erased", "would be deleted")
    counts = Counter((kind, source) for (kind, _), source in selected.rows.items())
    for (kind, source), count in sorted(counts.items()):
        yield f"{count:,} {kind}s of {plain(source)} {does[0]}"
    for source in sorted(set(selected.rows.values())):
        if not (root / source).exists():
            yield f"{plain(source)} is read by each run: what stands there is collected again"
    for path in found.made:
        why = (
            "is half a download, which may hold words of theirs,"
            if is_half(path)
            else "holds words of theirs"
        )
        yield f"{path} {why} and {does[1]}: the next run makes it again"
    if not (selected.text or selected.phrases):
        yield "Their texts are short, or stand in other rows too: only the tables of rows can be searched"
    yield from _models(root, selected)
    for place, paths in found.others.items():
        yield from (
            f"{told}: words of theirs stand there, and stay ({NEXT[place]})"
            for told in _named(root, paths, selected)
        )


def _models(root: Path, selected: "Selected") -> Iterator[str]:
    """Which models may have learned from the rows: training draws from these splits."""
    models = [path for path in MODELS if any((root / path).glob("*.safetensors"))]
    models += [path.relative_to(root) for path in sorted((root / RELEASES).glob("*")) if _is_release(path)]
    splits = Counter(selected.splits.values())
    if not models:
        yield "No model is there that could have learned from them"
    elif learned := splits["train"] + splits["validation"]:
        yield (
            f"{learned:,} of them are in train or validation, which training draws from. It cannot be taken "
            f"out of {', '.join(map(str, models))}; threeply run trains and releases without them"
        )
        yield from _taught(root, selected)
    else:
        yield f"None of them is in train or validation: {SFT.parent} has learned nothing from them"


def _taught(root: Path, selected: "Selected") -> Iterator[str]:
    """How many of the rows each model has learned from, and fine-tuning from how many of their tokens."""
    from tasks.rows.learned import learned_in

    for model in MODELS:
        lines = learned_in(root / model)
        if lines is None:
            if any((root / model).glob("*.safetensors")):
                yield f"{model} has no table of its rows: whether it has learned from them is not known"
            continue
        mine = [line for line in lines if line.times and (line.kind, line.id) in selected.rows]
        rows, tokens = len({(line.kind, line.id) for line in mine}), sum(line.tokens for line in mine)
        if not mine:
            yield f"Training drew none of them for {model}: it has learned nothing from them itself"
        else:
            counted = f", {tokens:,} tokens in all" if tokens else ""
            yield f"{model} has learned from {rows:,} of them{counted}"
            if model == SFT:
                yield f"{', '.join(map(str, UPON))} go on from it"


def _is_release(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink() and not path.name.startswith(".")


def _named(root: Path, paths: list[Path], selected: "Selected") -> Iterator[str]:
    """The files, those of text with the numbers of the lines."""
    from tasks.prepare.forgetting.texts import line_texts

    for path in paths[:LISTED]:
        lines = [str(number) for number, texts in line_texts(root / path) if selected.holds(texts)]
        more = ", ..." if len(lines) > LISTED else ""
        yield f"{path}, lines {', '.join(lines[:LISTED])}{more}" if lines else str(path)
    if len(paths) > LISTED:
        yield f"{len(paths) - LISTED:,} more files"


def _proof(left: Found) -> Iterator[str]:
    for path in left.made:
        yield f"left in {path}"
    for place, paths in left.others.items():
        yield from (f"left in {path}: {NEXT[place]}" for path in paths)
    if not (left.made or left.others):
        yield "Every file that runs have made was searched: no words of theirs are left"

"""The command `threeply gate`: tries one file before a run does, and writes nothing."""

import argparse
import contextlib
import io
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from deploy.errors import SettingsError
from flows.plain import on_a_line

if TYPE_CHECKING:
    from tasks.prepare.collect_settings import FileSource
    from tasks.prepare.rehearsal import Rehearsal
    from tasks.prepare.rehearsal.beside import Beside
    from tasks.rows.records import Dropped

DATA = Path("data")
_WIDTH = 100


def add_flags(parser: argparse.ArgumentParser) -> None:
    """The words that `threeply gate` understands."""
    parser.add_argument("file", type=Path, metavar="FILE", help="a file of rows, as sources/ may hold it")
    parser.add_argument(
        "--columns",
        nargs="+",
        default=(),
        metavar="OURS=THEIRS",
        help="names that the file has for columns, where params.yaml does not name the file (evidence=page)",
    )


def try_file(root: Path, settings: Any, words: argparse.Namespace) -> bool:
    """Print what a run would make of a file, and whether the gate would let its rows pass.

    Raises:
        SettingsError: a word is wrong.
        SourceError: the file cannot be read at all.
    """
    from tasks.machine.progress import parse_progress
    from tasks.prepare.rehearsal import rehearse

    source = _source(root, settings, words)
    said = io.StringIO()
    try:
        with contextlib.redirect_stdout(said), TemporaryDirectory(prefix="threeply-gate-") as work:
            found = rehearse(
                source,
                _beside(root, settings, source),
                clean=settings.clean,
                validate=settings.validate_,
                gate=settings.gate,
                parallel=settings.parallel,
                watched=root / "sources",
                work=Path(work),
            )
    finally:
        print("\n".join(line for line in said.getvalue().splitlines() if not parse_progress(line)))
    print("\n".join(_told(found)))
    return found.passed


def _source(root: Path, settings: Any, words: argparse.Namespace) -> "FileSource":
    """The source that params.yaml makes of the file, or else one of that file alone."""
    from tasks.prepare.collect_settings import FileSource

    path: Path = words.file
    if path.is_dir():
        raise SettingsError(
            f"{path} is a folder; threeply gate tries one file of rows, such as sources/faq.jsonl"
        )
    for source in settings.collect.sources:
        if isinstance(source, FileSource) and (root / source.path).resolve() == path.resolve():
            if words.columns:
                raise SettingsError(
                    f"{path} has its columns in params.yaml; change them there, without --columns"
                )
            return source
    columns: dict[str, str] = {}
    for word in words.columns:
        ours, sign, theirs = word.partition("=")
        if not (ours and sign and theirs):
            raise SettingsError(
                f"--columns {word!r} is wrong; it should be OURS=THEIRS, such as evidence=page"
            )
        columns[ours] = theirs
    return FileSource(kind="file", path=path, columns=columns)


def _beside(root: Path, settings: Any, source: "FileSource") -> "Beside":
    """What the last run has collected from other sources."""
    from tasks.prepare.rehearsal.beside import Beside, alone
    from tasks.prepare.tracing.stored import CLEAN, RAW
    from tasks.prepare.validate.profile import made_with, read_profile
    from tasks.prepare.validate.selected import of_source
    from tasks.prepare.validate.tables import InFolder
    from tasks.prepare.validate.words import ACCEPTED
    from tasks.rows.tables import FILES, KINDS

    own = source.path.as_posix()
    raw, clean = root / DATA / RAW, root / DATA / CLEAN
    if not all((folder / name).is_file() for folder in (raw, clean) for name in FILES.values()):
        return alone(own)
    collected, cleaned = (of_source(InFolder(folder), own, others=True) for folder in (raw, clean))
    accepted = root / ACCEPTED
    return Beside(
        own=own,
        others=cleaned,
        counts={kind: sum(collected.sizes(kind)) for kind in KINDS},
        known=True,
        accepted=read_profile(accepted) if accepted.is_file() else None,
        # With a source that params.yaml does not name the rows would be made with other settings.
        made_with=made_with(settings.collect, settings.clean) if source in settings.collect.sources else "",
    )


def _told(found: "Rehearsal") -> Iterator[str]:
    from tasks.prepare.gate import explained
    from tasks.prepare.validate.words import advice

    counts = ", ".join(f"{count:,} {kind}s" for kind, count in found.rows.items() if count)
    yield f"rows: {counts or 'none'}"
    if found.repaired:
        told = ", ".join(f"{name} {count:,}" for name, count in sorted(found.repaired.items()))
        yield f"would be repaired: {told}"
    if found.unknown:
        yield (
            f"{found.unknown:,} rows name documents that are not in this file; whether they are there shows "
            "only after a run (threeply run --until split)"
        )
    yield from _lost(found)
    if found.unmet:
        yield "\nexpectations that are not met"
        yield from (
            f"  {line}"
            for each in found.unmet
            for line in (
                f"{each.severity}: {each.table} {each.name}: {each.description} ({each.told()})",
                f"  {advice(each)}",
            )
        )
    yield f"\n{found.compared}"
    failed = [check for check in found.checks if not check.passed]
    if failed:
        yield f"\nthe gate would let no rows pass: {len(failed)} of {len(found.checks)} checks fail"
        yield from (f"  {line}" for line in explained(failed))
    else:
        yield f"\nthe gate would let them pass: {len(found.checks)} checks"


def _lost(found: "Rehearsal") -> Iterator[str]:
    """What would go no further, by stage and reason, with the first rows of each."""
    for lot, lost in found.lost.items():
        does = "hold back" if lot.stage == "validate" else "drop"
        yield f"\n{lot.stage} would {does} {lost.count:,} {lot.kind}s: {lot.reason}"
        yield from (f"  {on_a_line(line, _WIDTH)}" for line in _shown(lost.first, found))
        if lost.count > len(lost.first):
            yield f"  and {lost.count - len(lost.first):,} more"


def _shown(rows: "Sequence[Dropped]", found: "Rehearsal") -> Iterator[str]:
    """Each row by its id, with what is wrong and the beginning of its text; an unread one by its line."""
    for row in rows:
        text = found.texts.get((row.kind, row.id))
        if row.stage == "collect" or text is None:
            yield row.detail
        else:
            yield ": ".join(part for part in (row.id, row.detail, text) if part)

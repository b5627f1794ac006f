"""Source `url`: a file of rows at an address, read from a copy that is fetched where the file has changed."""

from functools import partial
from pathlib import Path

from tasks.prepare.collect.fetching import fetched, openly
from tasks.prepare.collect.files import Records, rows_of
from tasks.prepare.collect.pieces import Given
from tasks.prepare.collect.readers import read_records
from tasks.prepare.collect_settings import UrlSource


def read_url(settings: UrlSource, *, cache: Path) -> Given:
    """The rows of the file, under its address; `cache` keeps the copy.

    The report says by its checksum which file it was.

    Raises:
        DownloadError: the address cannot be reached, or breaks off each time.
        ChecksumError: it is not the file that params.yaml names.
        SourceError: the copy cannot be read.
    """
    copy = fetched(settings.url, settings.sha256, cache=cache)
    source = openly(settings.url)
    if settings.sha256 is None:
        print(
            f"{source}: DVC does not notice when it changes; run `dvc repro --force collect` after a change, "
            f"or name the file with `sha256: {copy.sha256}`"
        )
    figures = {"url": source, "sha256": copy.sha256, "bytes": copy.path.stat().st_size}
    files = [Records(name=source, read=partial(read_records, copy.path), path=copy.path)]
    return rows_of(source, files, settings, figures=figures)

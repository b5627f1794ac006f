"""Datasets of the Hugging Face hub: copies of the files that are one split, at a commit that is told."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, replace
from pathlib import Path, PurePosixPath

from deploy.atomic import write_json
from deploy.files import read_json, text_sha256
from tasks.errors import SourceError
from tasks.prepare.collect.readme import README, front_matter
from tasks.prepare.collect.subsets import files_of
from tasks.prepare.collect_settings import DatasetSource
from tasks.prepare.hub import HubFile, Listing, Repository, bring, listed

INFO = "dataset_info.json"


def brought(settings: DatasetSource, *, cache: Path) -> tuple[Path, str, list[PurePosixPath]]:
    """The folder of the copies below `cache`, the commit that they are of, and which of them are the split.

    At a commit nobody is asked once they are there. A tag or a branch is asked for each time, and files that
    have stayed the same are not fetched again.

    Raises:
        DownloadError: the hub cannot be reached, or has no such dataset or revision, or not for us.
        SourceError: it has no such split or subset.
    """
    dataset = Repository("dataset", settings.id, settings.revision)
    instead = (
        f"fetch it where there is a network with `hf download {dataset.name} --repo-type dataset --revision "
        f"{dataset.revision} --local-dir FOLDER`, and name FOLDER with `path` instead of `id` and `revision`"
    )
    place = cache / "sources" / text_sha256(f"hub:{dataset}")[:16]
    folder, note = place / "files", place / "listing.json"
    listing = _known(note) if dataset.pinned else None
    if listing is None:
        listing = listed(dataset, instead=instead)
        write_json(note, asdict(listing))
    if not dataset.pinned:
        print(
            f"hub:{dataset} is {listing.commit}: DVC does not notice when it changes; run `dvc repro --force "
            "collect` after a change, or name that commit as its `revision`"
        )
    files = {file.name: file for file in listing.files}
    pinned = replace(dataset, revision=listing.commit)
    bring(pinned, _of(files, (README, INFO)), folder, instead=instead)
    told = front_matter(folder) if README in files else {}
    where = f"the dataset {dataset} of the hub"
    mine = files_of(files, told, subset=settings.subset, split=settings.split, where=where)
    bring(pinned, _of(files, map(str, mine)), folder, instead=instead)
    return folder, listing.commit, mine


def _of(files: Mapping[str, HubFile], names: Iterable[str]) -> list[HubFile]:
    return [files[name] for name in names if name in files]


def _known(note: Path) -> Listing | None:
    """What was listed before, if that can be read."""
    try:
        return read_json(note, Listing, error=SourceError, advice="")
    except SourceError:
        return None  # it is asked for anew

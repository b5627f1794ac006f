"""The command `threeply rollback`: goes back to an earlier release, or lists those that are kept."""

import argparse
from datetime import datetime
from pathlib import Path

from deploy.errors import BundleError
from deploy.manifest import digest, read_manifest
from deploy.settings import ServeSettings
from flows.errors import ReleaseError
from flows.history import CURRENT, RELEASES, Entry, before, changing, choose, current, kept


def add_flags(parser: argparse.ArgumentParser) -> None:
    """The words that `threeply rollback` understands."""
    ways = parser.add_mutually_exclusive_group()
    text = "the release whose digest begins so, older or newer, instead of the one before"
    ways.add_argument("--to", metavar="DIGEST", help=text)
    ways.add_argument("--list", action="store_true", help="change nothing; show the releases that are kept")


def roll_back(root: Path, settings: ServeSettings, words: argparse.Namespace) -> None:
    """Do what `words` say to what is live in `root`.

    Raises:
        ReleaseError: no such release is kept, or it is damaged or not signed; what was live still is.
        ServeError: it lacks the model that serve.default_model names.
    """
    if not kept(root):
        raise ReleaseError("nothing was released here yet; threeply run makes and releases a bundle")
    if words.list:
        for line in listing(root):
            print(line)
        return
    with changing(root):
        now, name = current(root), wanted(root, words.to)
        if name == now:
            print(f"{name} is live already")
            return
        live = checked(root, name, settings)
        newer = choose(root, name)
    print(f"{CURRENT} is now {name}: {live}")
    if newer:
        print(
            f"Withdrawn, so that no run releases it again: {', '.join(newer)}; "
            f"threeply rollback --to {newer[-1]} does"
        )
    if settings.bundle == CURRENT:
        print("A running server follows within seconds")
    else:
        print(f"serve.bundle is {settings.bundle}: a server of that does not follow {CURRENT}")


def wanted(root: Path, beginning: str | None) -> str:
    """The name of the release whose digest has this `beginning`, or else of the one before what is live.

    Raises:
        ReleaseError: there is none, or there are several.
    """
    names = [entry.release for entry in kept(root)]
    if beginning is None:
        if (found := before(root)) is None:
            now = current(root)
            told = f"{now} is live, and no older release" if now else "nothing is live, so no older release"
            raise ReleaseError(
                f"{told} is kept that was not withdrawn; threeply rollback --list shows those there are, "
                "--to DIGEST takes one of them"
            )
        return found
    given = beginning.lower()
    fitting = [name for name in names if name.startswith(given) or given.startswith(name)]
    if len(fitting) == 1 and (len(given) <= len(fitting[0]) or _digest(root, fitting[0]).startswith(given)):
        return fitting[0]
    several = f"{len(fitting)} releases begin" if len(fitting) > 1 else "no release that is kept begins"
    raise ReleaseError(f"{several} with {beginning!r}; there are: {', '.join(names)}")


def checked(root: Path, name: str, settings: ServeSettings) -> str:
    """What answers once the release `name` is live, in a line.

    Raises:
        ReleaseError: a file of it is not what its manifest says, or the manifest not what its name says.
        ServeError: it lacks the model that serve.default_model names.
    """
    from deploy.bundle import verify_bundle
    from deploy.server.live import told_of
    from deploy.server.run import default_model

    key = None if settings.public_key is None else root / settings.public_key
    try:
        manifest = verify_bundle(root / RELEASES / name, key)
        if not (found := _digest(root, name)).startswith(name):
            raise BundleError(f"manifest.json of {name} was changed: its sha256 is {found}")
    except BundleError as error:
        now = current(root)
        stays = f"{now} stays live" if now else "nothing is live"
        raise ReleaseError(
            f"{name} is not released again, {stays}: {error}\n"
            "  threeply rollback --list shows the others, --to DIGEST takes one of them"
        ) from None
    model = default_model(settings.default_model, manifest)
    return f"{told_of(manifest.models, partial=manifest.partial)}; {model} answers by default"


def listing(root: Path) -> list[str]:
    """A line for each release that is kept, newest first."""
    now, lines = current(root), [f"{'release':<12}  {'live since':<16}  layers"]
    for entry in reversed(kept(root)):
        state = "current" if entry.release == now else entry.withdrawn and f"withdrawn: {entry.withdrawn}"
        line = f"{entry.release:<12}  {_date(entry):<16}  {_layers(root / RELEASES / entry.release)}"
        lines.append(f"{line}  ({state})" if state else line)
    return lines if now else [*lines, "nothing is live"]


def _layers(folder: Path) -> str:
    from deploy.server.live import layers_of

    try:
        manifest = read_manifest(folder)
    except BundleError as error:
        return f"damaged: {error}"
    return " + ".join(layers_of(manifest.models)) + (", partial" if manifest.partial else "")


def _date(entry: Entry) -> str:
    """The time of this place's clock, to the minute."""
    return f"{datetime.fromisoformat(entry.live).astimezone():%Y-%m-%d %H:%M}" if entry.live else "unknown"


def _digest(root: Path, name: str) -> str:
    return digest(root / RELEASES / name)

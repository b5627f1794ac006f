"""Starts the server: checks and loads the bundle, warms up, and only then says where it listens.

What it serves afterwards is whatever the link `bundle` points at (`deploy/server/following.py`).
"""

import tempfile
from collections.abc import Callable
from pathlib import Path

from deploy.answer import Layers
from deploy.assistant import Assistant
from deploy.bundle import load_verified, verify_bundle
from deploy.documents.seen import tagged_in
from deploy.engines.engine import Sampling
from deploy.errors import ServeError
from deploy.knowledge.hits import Knowledge
from deploy.manifest import Manifest, digest
from deploy.messages import Message
from deploy.server.following import Follower, release_of
from deploy.server.holding import Hold
from deploy.server.listening import bind, run_app
from deploy.server.live import Live, Served
from deploy.settings import ServeSettings


def serve(bundle: Path, settings: ServeSettings, *, say: Callable[[str], object] = print) -> None:
    """Serve the bundle in the folder `bundle` until the process is told to stop (Ctrl-C or SIGTERM).

    Where `bundle` is a link and comes to point at another one, that is served from then on.

    Raises:
        ServeError: the port is taken, the address is not this machine's, a folder of it cannot be written,
            or the bundle lacks the model.
        BundleError: the bundle is not whole.
    """
    from deploy.server.app import create_app

    with bind(settings.host, settings.port) as listener:  # before the long part: a taken port is said at once

        def load(folder: Path) -> Served:
            return load_served(folder, settings, say=say)

        for name in ("documents", "feedback"):
            if (written := getattr(settings, name)) is not None:
                make_writable(written, setting=f"serve.{name}")
        release = release_of(bundle)
        live = Live(load(release))
        app = create_app(live, settings)
        with Follower(bundle, live, load, served=release, say=say).following():
            run_app(app, listener, settings, say=say)


def make_writable(folder: Path, *, setting: str) -> None:
    """Make the folder that a `setting` names if it is not there.

    Raises:
        ServeError: it cannot be made or written: a service may write where it is told to, and nowhere else.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        raise ServeError(
            f"{setting} {folder} cannot be written: {error.strerror}; let the server's user write there "
            "(docs/serving.md), or set it to null"
        ) from None


def load_served(folder: Path, settings: ServeSettings, *, say: Callable[[str], object] = print) -> Served:
    """The bundle in `folder`, checked, loaded and warm; held from before the first file is read.

    Raises:
        ServeError: the bundle lacks the model, or documents have tags and there are no keys.
        BundleError: it is not whole.
    """
    hold = Hold(folder)
    say(f"checking {folder}")
    manifest = verify_bundle(folder, settings.public_key)
    default = default_model(settings.default_model, manifest)
    say(
        f"loading {manifest.name}: {', '.join(manifest.models)}; "
        f"{default} answers where a request names no model"
    )
    assistant = load_verified(folder, manifest, most_rows=settings.max_batch, documents=settings.documents)
    check_tags(assistant.knowledge, settings)
    warm_up(assistant)
    return Served(
        assistant=assistant,
        default_model=default,
        name=manifest.name,
        digest=digest(folder),
        partial=manifest.partial,
        hold=hold,
    )


def check_tags(knowledge: Knowledge | None, settings: ServeSettings) -> None:
    """Return if there are keys to hold the tags of the documents, or none that have any.

    Raises:
        ServeError: tags say who sees a document, and nobody could be told apart.
    """
    if settings.keys is None and settings.tags_without_keys == "refuse" and tagged_in(knowledge):
        # Nothing of the documents is said, not how many they are either: /healthz tells everybody why a
        # release is not served.
        raise ServeError(
            "some documents have tags, which say whose keys see them, and serve.keys is null; set it to a "
            "file and make keys (threeply key add NAME --tag TAG), or set serve.tags_without_keys to ignore: "
            "then everybody who may ask sees them"
        )


def default_model(wanted: str, manifest: Manifest) -> str:
    """The model that answers where a request names none.

    `auto` is the last one of the bundle whose layer the ledger (what each layer adds) does not call useless
    or harmful, nor sees lose where that is not clear: of two that may be alike, the cheaper serves. It stands
    in for a model that a partial bundle does not have yet.

    Raises:
        ServeError: the bundle has no such model.
    """
    if wanted in manifest.models:
        return wanted
    if wanted != "auto" and not manifest.partial:
        raise ServeError(
            f"serve.default_model is {wanted}, but {manifest.name} has only "
            f"{', '.join(manifest.models)}; set one of them, or auto"
        )
    arms = manifest.ledger.get("arms", {})
    for name in reversed(manifest.models):
        difference = arms.get(name, {}).get("difference")
        if difference is None or (difference["verdict"] != "does not help" and difference["mean"] > 0.0):
            return name
    return manifest.models[0]


def warm_up(assistant: Assistant) -> None:
    """Ask each model for one token, so that the first person does not wait for caches to fill."""
    question = [Message("user", "Which function sorts an array?")]
    for model in reversed(assistant.models):
        assistant.answer([question], model=model, layers=Layers(), sampling=Sampling(max_new_tokens=1))

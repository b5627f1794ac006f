"""The command `threeply serve`: the assistant behind its page and its API, until it is told to stop."""

import argparse
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from deploy.errors import SettingsError
from deploy.settings import ServeSettings
from flows.errors import ReleaseError

PREFIX = "THREEPLY_SERVE_"


def add_flags(parser: argparse.ArgumentParser) -> None:
    """The words that `threeply serve` understands."""
    parser.add_argument("--bundle", type=Path, metavar="DIR", help="instead of serve.bundle")
    parser.add_argument("--host", help="instead of serve.host")
    parser.add_argument("--port", type=int, help="instead of serve.port")
    text = "a name that it is called by, beside serve.allowed_hosts; several of them may be given"
    parser.add_argument("--allowed-host", action="append", default=[], type=_name, metavar="NAME", help=text)
    text = "the bundle alone, on this machine: without limits, feedback, and documents that were added since"
    parser.add_argument("--alone", action="store_true", help=text)


def server_settings(path: Path, environment: Mapping[str, str]) -> ServeSettings:
    """The section `serve` of `path`, with what variables such as THREEPLY_SERVE_PORT say instead.

    Their values are read as YAML, as those of the file are.

    Raises:
        SettingsError: a value is wrong, or a variable names no setting.
    """
    from tasks.machine.settings import overlay
    from tasks.settings import check_settings, read_params

    given = {name: value for name, value in environment.items() if name.startswith(PREFIX)}
    values = {name.removeprefix(PREFIX).lower(): _value(name, value) for name, value in given.items()}
    over = {"serve": values} if values else {}  # an empty mapping would empty the section
    origin = " with ".join([str(path), *sorted(given)])
    return check_settings(overlay(read_params(path), over), origin=origin).serve


def serve_bundle(settings: ServeSettings, words: argparse.Namespace) -> None:
    """Serve as `settings` say, and `words` over them.

    Raises:
        ReleaseError: there is no bundle.
        SettingsError: what is open to all would be open to other machines.
        ServeError, BundleError: the server cannot start.
    """
    from deploy.server.listening import LOOPBACK
    from deploy.server.run import serve
    from tasks.machine.process import CACHES

    for name, value in CACHES.items():  # before torch is there, which reads them once
        os.environ.setdefault(name, value)
    given: dict[str, Any] = {
        name: value for name in ("host", "port") if (value := getattr(words, name)) is not None
    }
    if words.allowed_host:
        given["allowed_hosts"] = (*settings.allowed_hosts, *words.allowed_host)
    if words.alone:
        given |= dict.fromkeys(("documents", "feedback", "requests_per_minute", "tokens_per_minute"))
    chosen = settings.model_copy(update=given)
    if words.alone and chosen.host not in LOOPBACK:
        raise SettingsError(f"--alone needs a host of this machine: {', '.join(LOOPBACK)}")
    bundle: Path = words.bundle or settings.bundle
    if not bundle.exists():
        raise ReleaseError(
            f"{bundle} is not there; make and release a bundle with threeply run (prompt + retrieval is "
            "there once its stage knowledge has ended), or name one with --bundle (data/bundle: what a "
            "run made)"
        )
    serve(bundle, chosen)


def _value(name: str, written: str) -> Any:
    """What a variable's text says, as YAML."""
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        return YAML(typ="safe", pure=True).load(written)
    except YAMLError:
        raise SettingsError(
            f"{name}: {written!r} is no YAML; write it as params.yaml would have it"
        ) from None


def _name(given: str) -> str:
    if not given.strip():
        raise argparse.ArgumentTypeError("give a name: an empty one lets in requests that name no host")
    return given

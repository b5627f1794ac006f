"""The command `threeply key`: makes, shows and withdraws the API keys of the server."""

import argparse
import re
from pathlib import Path
from typing import TYPE_CHECKING

from deploy.errors import SettingsError
from deploy.knowledge.tags import checked_tags
from deploy.server.keys import SCOPES, new_key, read_keys, write_keys

if TYPE_CHECKING:
    from deploy.settings import ServeSettings

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


def add_flags(parser: argparse.ArgumentParser) -> None:
    """The words that `threeply key` understands."""
    ways = parser.add_subparsers(dest="way", metavar="WAY", required=True)
    add = ways.add_parser("add", help="make a key and show it, this once")
    add.add_argument("key_name", metavar="NAME", help="whose it is: what logs and limits call it")
    add.add_argument(
        "--scope",
        choices=SCOPES,
        default="read",
        help="read: ask, and rate the answers; write: documents, too; admin: all (read)",
    )
    text = "it sees documents with this tag, beside those without any; several may be given, admin sees all"
    add.add_argument("--tag", action="append", default=[], metavar="TAG", dest="tags", help=text)
    ways.add_parser("list", help="show the names, scopes and tags")
    remove = ways.add_parser("remove", help="withdraw a key: a running server refuses it from then on")
    remove.add_argument("key_name", metavar="NAME")


def change_keys(root: Path, settings: "ServeSettings", words: argparse.Namespace) -> None:
    """Do what `words` say to the file `serve.keys`.

    Raises:
        SettingsError: no file is set, a name is wrong, taken or unknown.
        ServeError: the file is damaged.
    """
    if settings.keys is None:
        raise SettingsError(
            "serve.keys is null; set it to the file for the keys, such as .threeply/keys.json"
        )
    path: Path = root / settings.keys
    keys = read_keys(path) if path.exists() else ()
    named = {key.name: key for key in keys}
    if words.way == "list":
        for key in keys:
            print(f"{key.name:<32} {key.scope:<6} {' '.join(key.tags)}".rstrip())
        print(f"{len(keys)} keys in {path}")
    elif words.way == "add":
        name = words.key_name
        if not _NAME.fullmatch(name):
            raise SettingsError(f"{name!r} is no name for a key: take letters, digits, . _ and -, at most 64")
        if name in named:
            raise SettingsError(f"there is a key called {name}; remove it first, or take another name")
        secret, key = new_key(name, words.scope, checked_tags(words.tags))
        write_keys(path, [*keys, key])
        print(secret)
        print(f"{name} may {key.scope}. Keep the key: it is not shown again, {path} has its hash alone")
    else:
        if words.key_name not in named:
            known = ", ".join(named) or "none"
            raise SettingsError(f"no key is called {words.key_name!r} in {path}; there are: {known}")
        write_keys(path, [key for key in keys if key.name != words.key_name])
        print(f"{words.key_name} is withdrawn")

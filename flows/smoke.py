"""Asks a bundle through its server, as a client would: `python -m flows.smoke BUNDLE` prints what it said.

The ledger in the bundle holds answers that the tuned models gave when they were measured, or how they begin,
where rounding could change the rest. The server has to give them again, word for word; a model of which none
are known has to say something.
"""

import json
import sys
import tempfile
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deploy.errors import ThreeplyError
from flows.errors import ReleaseError
from flows.serving import PREFIX
from flows.started import started

QUESTION = [{"role": "user", "content": "What can you tell me from your documentation?"}]
WORDS = 8  # tokens of an answer that nobody knows; enough to see that it speaks
REQUEST_SECONDS = 120.0
ALONE = ("--alone", "--host", "127.0.0.1")


@dataclass(frozen=True, slots=True)
class Server:
    """Where a server listens, and a key that opens it."""

    address: str
    key: str


def main(bundle: Path) -> int:
    """Start the server of `bundle` and ask each of its models; 0 if all answered as they should."""
    from deploy.manifest import read_manifest

    try:
        manifest = read_manifest(bundle)
        with alone(bundle) as server:
            repeated = 0
            for model in manifest.models:
                known = manifest.ledger.get("parity", {}).get(model, {}).get("expected", [])
                said = ask(server, model, known)
                repeated += len(known)
    except ThreeplyError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    print(
        f"all of {', '.join(manifest.models)} answer, {repeated} times word for word as measured; "
        f"{model}: {' '.join(said.split())}"
    )
    return 0


@contextmanager
def alone(bundle: Path) -> Iterator[Server]:
    """A server of `bundle` with a key of its own: nobody else sees meanwhile what is not for everybody.

    Raises:
        ReleaseError: it does not start.
    """
    from deploy.server.keys import new_key, write_keys

    secret, key = new_key("smoke", "admin")  # which sees what the answers were measured with: everything
    with tempfile.TemporaryDirectory() as folder:
        keys = Path(folder) / "keys.json"
        write_keys(keys, [key])
        variables = {f"{PREFIX}KEYS": json.dumps(str(keys))}
        with started(*ALONE, "--bundle", str(bundle), variables=variables) as address:
            yield Server(address, secret)


def ask(server: Server, model: str, known: Sequence[dict[str, Any]]) -> str:
    """The last answer of `model`.

    Raises:
        ReleaseError: it answers otherwise than it is `known` to, or not at all.
    """
    if not known:
        said = complete(server, {"model": model, "messages": QUESTION, "max_tokens": WORDS})
        if not said.strip():
            raise ReleaseError(f"the model {model} says nothing")
    for one in known:
        said = complete(server, {"model": model, "messages": one["messages"]})
        whole = one.get("whole", True)  # bundles of before know whole answers alone
        repeated = said == one["answer"] if whole else said.startswith(one["answer"])
        if not repeated:
            told = "with" if whole else "beginning with"
            raise ReleaseError(
                f"{model} answered {one['messages'][-1]['content']!r} {told} {one['answer']!r} when it was "
                f"measured, and now with {said!r}: measure it on this machine, with the packages installed "
                "now (dvc repro -f evaluate, then threeply run)"
            )
    return said


def complete(server: Server, body: dict[str, Any]) -> str:
    """The text of the likeliest answer to a chat completion request.

    Raises:
        ReleaseError: the server refused, failed or took too long.
    """
    request = urllib.request.Request(  # noqa: S310  (our own server, on this machine)
        f"{server.address}/v1/chat/completions",
        data=json.dumps({**body, "temperature": 0.0, "top_p": 1.0}).encode(),
        headers={"Content-Type": "application/json", "Authorization": f"Bearer {server.key}"},
    )
    try:
        with urllib.request.urlopen(request, timeout=REQUEST_SECONDS) as reply:  # noqa: S310
            return str(json.load(reply)["choices"][0]["message"]["content"])
    except urllib.error.HTTPError as error:
        raise ReleaseError(f"the server replied {error.code}: {error.read().decode()[:300]}") from None
    except OSError as error:
        raise ReleaseError(f"the server gave no answer: {error}") from None


if __name__ == "__main__":
    raise SystemExit(main(Path(sys.argv[1])))

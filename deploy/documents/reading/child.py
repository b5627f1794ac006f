"""The process that reads one document: bytes come in, what was read or why not goes out as JSON.

    python -P -m deploy.documents.reading.child html 30 utf-8 <page.html

Limits are set before the first byte of the document is looked at.
"""

import json
import re
import sys
from dataclasses import asdict, replace

from deploy.documents.reading.reading import Reading
from deploy.errors import DocumentError

_MEMORY = 2**30  # bytes, of addresses
MOST_CHARACTERS = 10_000_000
# What no text has; SQLite and JSON have their trouble with half a character.
_NO_TEXT = re.compile("[\x00-\x08\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")


def main(kind: str, seconds: str, declared: str) -> None:
    """Read the document that comes in, and write what is in it."""
    _limit(int(seconds))
    try:
        told = asdict(_read(sys.stdin.buffer.read(), kind, declared))
    except DocumentError as error:
        told = {"refused": str(error), "reason": error.reason}
    except MemoryError:
        told = {
            "refused": f"to read it takes more than {_MEMORY // 2**20} MiB of memory; split it",
            "reason": "too_large",
        }
    except ImportError as error:
        told = {
            "refused": f"{error}: install what requirements.lock names (make venv)",
            "reason": "unreadable",
        }
    except Exception as error:  # a reader is fed with all there is
        told = {
            "refused": f"its reader has failed ({type(error).__name__}); save it anew, or as text",
            "reason": "damaged",
        }
    json.dump(told, sys.stdout)


def _read(content: bytes, kind: str, declared: str) -> Reading:
    from deploy.documents.reading.formats import FORMATS

    [reader] = [each.reader for each in FORMATS if each.name == kind]
    given = reader(content, declared)
    reading = replace(given, title=_NO_TEXT.sub("", given.title), text=_NO_TEXT.sub("", given.text))
    if len(reading.text) > MOST_CHARACTERS:
        raise DocumentError(
            f"it has {len(reading.text)} characters, and at most {MOST_CHARACTERS} are read; split it",
            reason="too_large",
        )
    return reading


def _limit(seconds: int) -> None:
    """Bound what this process may take; it writes no file, and leaves no core."""
    import resource

    for what, most in (
        (resource.RLIMIT_CPU, seconds),
        (resource.RLIMIT_AS, _MEMORY),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        _, hard = resource.getrlimit(what)
        resource.setrlimit(what, (most if hard == resource.RLIM_INFINITY else min(most, hard),) * 2)


if __name__ == "__main__":
    main(*sys.argv[1:4])

"""Notes which files a stage opens, and which other machines it looks for.

Python imports this module by itself where its folder is on PYTHONPATH. Writes a file for each process into
the folder that THREEPLY_OPENED names: the words of the stage, then a path a line, or a host behind `NETWORK`.
What libraries do without Python (safetensors, Arrow) does not come by here.
"""

import json
import os
import sys

NETWORK = "network: "
_HERE = {None, "", "localhost", "127.0.0.1", "::1", "0.0.0.0"}


def note_opened(folder: str) -> None:
    """Note what this process opens to read and whom it connects to, if it is a stage."""
    words = sys.orig_argv
    if "tasks" not in words:
        return
    log = os.open(f"{folder}/{os.getpid()}", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    seen = {""}

    def tell(line: str) -> None:
        if line not in seen:
            seen.add(line)
            os.write(log, f"{line}\n".encode())

    def hook(event: str, arguments: tuple[object, ...]) -> None:
        if event in ("socket.connect", "socket.getaddrinfo"):
            where = arguments[1] if event == "socket.connect" else arguments[0]
            host = where[0] if isinstance(where, tuple) else where
            is_file = event == "socket.connect" and not isinstance(where, tuple)
            if not is_file and host not in _HERE:
                tell(f"{NETWORK}{host}")
        if event == "open" and isinstance(arguments[0], str | os.PathLike):
            flags = arguments[2]
            if isinstance(flags, int) and not flags & (os.O_WRONLY | os.O_RDWR):
                tell(os.path.relpath(os.fspath(arguments[0])))

    tell(json.dumps(words[words.index("tasks") + 1 :]))
    sys.addaudithook(hook)


if "THREEPLY_OPENED" in os.environ:
    note_opened(os.environ["THREEPLY_OPENED"])

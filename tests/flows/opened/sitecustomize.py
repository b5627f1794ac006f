"""Notes which files a stage opens; Python imports this module by itself where its folder is on PYTHONPATH.

Writes a file for each process into the folder that THREEPLY_OPENED names: the words of the stage, then a path
a line. What libraries open without Python (safetensors, Arrow) does not come by here.
"""

import json
import os
import sys


def note_opened(folder: str) -> None:
    """Note what this process opens to read, if it is a stage."""
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
        if event == "open" and isinstance(arguments[0], str | os.PathLike):
            flags = arguments[2]
            if isinstance(flags, int) and not flags & (os.O_WRONLY | os.O_RDWR):
                tell(os.path.relpath(os.fspath(arguments[0])))

    tell(json.dumps(words[words.index("tasks") + 1 :]))
    sys.addaudithook(hook)


if "THREEPLY_OPENED" in os.environ:
    note_opened(os.environ["THREEPLY_OPENED"])

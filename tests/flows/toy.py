"""A stage of the toy graph: `python toy.py NAME INPUT OUTPUT` copies its input and adds its name.

A file `behaviour/NAME` makes it misbehave: `sleep`, `gate` (a sentence and exit 3), `crash` (a traceback).
"""

import os
import sys
import time
from pathlib import Path

from tasks.machine.process import end_with_parent

end_with_parent()
name, source, target = sys.argv[1:]
Path("pids").mkdir(exist_ok=True)
Path("pids", name).write_text(str(os.getpid()), encoding="utf-8")
behaviour = Path("behaviour", name)
match behaviour.read_text(encoding="utf-8") if behaviour.exists() else "":
    case "sleep":
        print("progress 1/4 rows, 30s left, loss 0.5", flush=True)
        time.sleep(60)
    case "gate":
        print("error: 12 of 20 rows were dropped; raise gate.max_dropped or mend the source", file=sys.stderr)
        raise SystemExit(3)
    case "crash":
        raise RuntimeError("nobody thought of this")
print(f"{name} has read {source}")
Path(target).write_text(Path(source).read_text(encoding="utf-8") + name + "\n", encoding="utf-8")

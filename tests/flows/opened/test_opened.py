"""Protects the watch over what stages open: it sees a file that is no argument, and lets arguments pass."""

from pathlib import Path

from tests.flows.opened.reading import opened, reached, undeclared
from tests.interpreter import python

HERE = Path(__file__).parent
STAGE = """
from pathlib import Path
Path("data/rows/declared").read_text()
Path("data/beside").read_text()
partial = Path("data/.made.partial-7")
partial.write_text("")
partial.read_text()
"""
LOOKING = """
import contextlib
import socket
with contextlib.suppress(OSError):
    socket.getaddrinfo("telemetry.invalid", 443)
with socket.socket() as other, contextlib.suppress(OSError):
    other.settimeout(0.01)
    other.connect(("192.0.2.1", 443))
with socket.socket() as here, contextlib.suppress(OSError):
    here.connect(("127.0.0.1", 9))
"""


def test_a_file_that_is_no_argument_is_seen(tmp_path: Path) -> None:
    (tmp_path / "data/rows").mkdir(parents=True)
    for name in ("rows/declared", "beside"):
        (tmp_path / "data" / name).write_text("", encoding="utf-8")
    (tmp_path / "tasks").mkdir()
    (tmp_path / "tasks/__main__.py").write_text(STAGE, encoding="utf-8")
    notes = tmp_path / "notes"
    notes.mkdir()
    words = ("--params", "params.yaml", "toy", "data/rows", "--made", "data/made")
    python("-m", "tasks", *words, place=tmp_path, modules=(HERE,), THREEPLY_OPENED=str(notes))
    assert opened(notes) == {"toy": {"data/rows/declared", "data/beside", "data/.made.partial-7"}}
    assert undeclared(notes) == {"toy": {"data/beside"}}


def test_a_machine_that_is_looked_for_is_seen_and_this_one_is_not(tmp_path: Path) -> None:
    (tmp_path / "tasks").mkdir()
    (tmp_path / "tasks/__main__.py").write_text(LOOKING, encoding="utf-8")
    notes = tmp_path / "notes"
    notes.mkdir()
    python("-m", "tasks", "toy", place=tmp_path, modules=(HERE,), THREEPLY_OPENED=str(notes))
    assert reached(notes) == {"toy": {"telemetry.invalid", "192.0.2.1"}}

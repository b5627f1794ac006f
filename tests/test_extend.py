"""Protects docs/extend.md: its lines, put into a copy of the project as they stand, add what they say.

The copy is used by other processes alone: what is added there is no part of this one.
"""

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from tests.conftest import ROOT
from tests.interpreter import python

PAGE = (ROOT / "docs/extend.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"^```(python|diff)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
Run = Callable[..., str]


def section(title: str) -> str:
    """The part of the page under a heading."""
    return re.split(r"^## ", PAGE.split(f"\n## {title}\n")[1], flags=re.MULTILINE)[0]


def extend(place: Path, title: str) -> None:
    """Put the blocks of a section into `place`."""
    for kind, block in BLOCK.findall(section(title)):
        head, _, body = block.partition("\n")
        file = place / head.removeprefix("# " if kind == "python" else "--- ")
        if kind == "python":
            file.write_text(body, encoding="utf-8")
            continue
        lines = [(line[:1] or " ", line[1:]) for line in body.splitlines()]
        before = "\n".join(text for mark, text in lines if mark != "+")
        after = "\n".join(text for mark, text in lines if mark != "-")
        code = file.read_text(encoding="utf-8")
        assert code.count(before) == 1, f"{head} has not these lines, or has them twice:\n{before}"
        file.write_text(code.replace(before, after), encoding="utf-8")


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A copy of the project's code and settings."""
    for folder in ("tasks", "deploy", "flows"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copyfile(ROOT / "params.yaml", tmp_path / "params.yaml")
    return tmp_path


@pytest.fixture
def run(place: Path) -> Run:
    """What runs Python in the copy and gives what it has printed."""
    return lambda *words: python(*words, place=place, modules=(place,)).stdout


def change(place: Path, **sections: dict[str, object]) -> None:
    """Set values in the copy's params.yaml."""
    file = place / "params.yaml"
    told = yaml.safe_load(file.read_text(encoding="utf-8"))
    for name, values in sections.items():
        told[name].update(values)
    file.write_text(yaml.safe_dump(told), encoding="utf-8")


def collect(place: Path, run: Run, sources: list[dict[str, object]]) -> None:
    change(place, collect={"sources": sources})
    outs = ("--raw", "raw", "--dropped", "d.parquet", "--evaluations", "e.parquet", "--report", "r.json")
    run("-m", "tasks", "collect", "sources", *outs)


READ = "from pathlib import Path; from tasks.rows.tables import read_rows; rows = read_rows(Path('{0}')); "


def test_a_source(place: Path, run: Run) -> None:
    extend(place, "A source")
    (place / "sources").mkdir()
    faq = "Q: How much is it?\nA: Ten.\n\nQ: Nobody knows this.\n"
    (place / "sources/faq.txt").write_text(faq, encoding="utf-8")
    collect(place, run, [{"kind": "faq", "path": "sources/faq.txt"}])
    told = run(
        "-c", READ.format("raw") + "print([(row.prompt[0].content, row.answer) for row in rows.examples])"
    )
    assert told.strip() == "[('How much is it?', 'Ten.')]"


CLEANED = ("--signals", "s.parquet", "--report", "clean.json")


def test_a_filter(place: Path, run: Run) -> None:
    extend(place, "A filter")
    lines = [
        {"prompt": "How much is it?", "completion": "Ten."},
        {"prompt": "WHY IS THAT?", "completion": "No."},
    ]
    (place / "sources").mkdir()
    (place / "sources/a.jsonl").write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    collect(place, run, [{"kind": "file", "path": "sources/a.jsonl"}])
    run("-m", "tasks", "clean", "raw", "--kept", "kept", "--dropped", "d.parquet", *CLEANED)
    assert run("-c", READ.format("kept") + "print(len(rows.examples))").strip() == "1"
    counts = json.loads((place / "clean.json").read_text(encoding="utf-8"))["rows"]
    assert [row["count"] for row in counts if row.get("reason") == "shouting"] == [1]


METHOD = """
import sys
from pathlib import Path
import torch
from deploy.engines.local import TransformersEngine
from tasks.methods import METHODS
from tasks.methods.method import Material
from tasks.methods.parts.base_model import load_base
from tasks.machine.device import Device
from tasks.settings import load_settings
from tasks.training.searching.space import SPACE

sft = load_settings(Path("params.yaml")).sft
assert sft.method == "layer_norm" and not sft.chosen.final and "layer_norm" in SPACE
base = Path(sys.argv[1])
model = load_base(base, Device(name="cpu", threads=1, precision="float32"))
adapted = METHODS["layer_norm"].attach(model, sft.chosen, Material(tokenizer=None))
rows = torch.arange(3, 23).view(2, 10)
for part in adapted.trained().values():
    torch.nn.init.uniform_(part.data, 0.5, 1.5)
adapted.write(Path("adapter"))
with TransformersEngine(base, {"tuned": Path("adapter")}).held("tuned") as logits:
    torch.testing.assert_close(logits(rows), model(input_ids=rows).logits, atol=1e-4, rtol=1e-4)
print(len(adapted.trained()))
"""


def test_a_method(place: Path, run: Run, tiny_base: Path) -> None:
    extend(place, "A method")
    change(place, sft={"method": "layer_norm", "layer_norm": {"final": False}})
    assert run("-c", METHOD, str(tiny_base)).strip() == str(4 * 2)  # two norms in each of four layers


def test_a_scorer(place: Path, run: Run) -> None:
    extend(place, "A scorer")
    code = "from tasks.scoring import SCORERS; score = SCORERS['number']; print(score('', '10 %', '{}'))"
    assert [run("-c", code.format(said)).strip() for said in ("It is 10.0", "12")] == ["1.0", "0.0"]


ENGINE = """
from fastapi.testclient import TestClient
from deploy.assistant import Assistant
from deploy.engines.quoting import QuotingEngine
from deploy.knowledge.hits import Hit
from deploy.prompts.template import load_template
from deploy.server.app import create_app
from deploy.server.live import Live, Served
from tasks.settings import load_settings
from pathlib import Path

class Knowledge:
    def search(self, queries, *, before=None, exclude=None):
        hit = Hit(chunk=1, document="a", uri="a", title="a", text="C=1.0 : float", score=1.0)
        return [[hit] for _ in queries]

settings = load_settings(Path("params.yaml"))
assistant = Assistant(QuotingEngine(), Knowledge(), load_template("assistant"), settings.generation)
app = create_app(Live(Served(assistant=assistant, default_model="base")), settings.serve)
asked = {"messages": [{"role": "user", "content": "What is C?"}]}
for stream in (False, True):
    client = TestClient(app, base_url="http://localhost")
    reply = client.post("/v1/chat/completions", json={**asked, "stream": stream})
    text = reply.text.replace(" ", "")
    print(reply.status_code, "C=1.0:float[1]" in text, '"citations":[1]' in text)
"""


def test_an_engine(place: Path, run: Run) -> None:
    extend(place, "An engine")
    assert run("-c", ENGINE).splitlines() == ["200 True True"] * 2


def test_all_of_it_together_is_in_the_style_of_the_project(place: Path, run: Run) -> None:
    shutil.copyfile(ROOT / "pyproject.toml", place / "pyproject.toml")
    for title in ("A source", "A filter", "A method", "A scorer", "An engine"):
        extend(place, title)
    run("-m", "ruff", "check", "tasks", "deploy")
    run("-m", "ruff", "format", "--check", "tasks", "deploy")

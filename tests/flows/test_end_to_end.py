"""Protects the promise of the first page: one command from nothing to a released, answering bundle."""

import json
from pathlib import Path
from typing import Any

import pytest
from openai import OpenAI

from benchmarks.gpu.chain import ON_DEVICE, asked, elsewhere, stages, table
from tasks.stages import LAB, STAGES
from tests.conftest import ROOT
from tests.flows.opened.reading import opened, reached, undeclared
from tests.flows.started import serving
from tests.interpreter import speaking
from tests.tasks.pages.checking import checked

SILENCE = 900.0  # seconds; the longest pause of a quiet machine is a tenth of it
RUN = ["-m", "flows", "run", "--profile", "smoke", "--place"]
COMPARE = ["-m", "flows", "compare", "--profile", "smoke", "--place"]


@pytest.mark.e2e
@pytest.mark.flow
@pytest.mark.timeout(4500)  # for what hangs in the test itself; the commands are watched by their silence
def test_the_whole_chain_with_the_real_model_and_then_nothing_to_do(tmp_path: Path) -> None:
    place, notes = tmp_path / "place", tmp_path / "notes"
    notes.mkdir()
    watched: dict[str, Any] = {"modules": (ROOT / "tests/flows/opened",), "THREEPLY_OPENED": str(notes)}
    said = speaking(*RUN, place, silence=SILENCE, **watched)
    ledger = json.loads((place / "data/reports/ledger.json").read_text(encoding="utf-8"))
    arms = {"base", "prompt", "retrieval", "few_shot", "sft", "rlhf", "sft_closed_book", "rule"}
    assert set(ledger["arms"]) == arms
    assert (place / "data/reports/index.html").exists()
    assert (place / ".threeply/releases/current/manifest.json").exists()
    assert all(f"{name}: done" in said for name in STAGES)

    again = speaking(*RUN, place, silence=SILENCE)
    assert all(f"{name}: cached" in again for name in (*STAGES, "release"))
    assert "Nothing has changed since the last run." in again

    assert "base, untuned" in speaking(*COMPARE, place, silence=SILENCE, **watched)
    methods = json.loads((place / "data/reports/methods.json").read_text(encoding="utf-8"))
    assert set(methods) == {"none", "lora"}
    assert methods["lora"]["tokens"] <= 1200
    pages = {path.name: path.read_text(encoding="utf-8") for path in (place / "data").rglob("*.html")}
    assert set(pages) == {"index.html", "validation.html", "methods.html", "claims.html"}
    for page in pages.values():
        checked(page)
    assert "A merged LoRA adds no latency" in (place / "data/reports/claims.html").read_text(encoding="utf-8")

    assert set(opened(notes)) == {*STAGES, *LAB}
    assert "data/reports/ledger.json" in opened(notes)["bundle"]
    assert undeclared(notes) == {}
    assert reached(notes) == {}, "nothing leaves the machine, and no library reports home"

    # What would be looked at on a GPU, here on the CPU.
    found, told = stages(place), asked(place)
    assert [stage.name for stage in found] == list(ON_DEVICE)
    assert elsewhere(found, found[0].device) == []
    assert elsewhere(found, "another") == list(ON_DEVICE)
    assert [each["model"] for each in told] == ["base", "sft", "rlhf"]
    assert table(found, told).count("\n| `") == len(found) + len(told)

    with (
        serving(ROOT, "--bundle", str(place / ".threeply/releases/current")) as address,
        OpenAI(base_url=f"{address}/v1", api_key="none", max_retries=0) as client,
    ):
        assert [model.id for model in client.models.list()] == ["base", "sft", "rlhf"]
        answer = client.chat.completions.create(
            model="sft",
            messages=[{"role": "user", "content": "In `scipy.signal.resample`, what is the default of `t`?"}],
        )
        assert answer.choices[0].message.content
        assert "scipy.signal.resample" in json.dumps(answer.model_dump()["threeply"]["sources"])

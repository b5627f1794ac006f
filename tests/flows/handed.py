"""A project whose stages hand out tiny real parts, and releases of what they have handed out."""

import json
import shutil
from collections.abc import Sequence
from pathlib import Path

from deploy.atomic import remove, write_json
from deploy.bundle import BundledSettings, write_bundle
from flows.early import EARLY, Early
from flows.history import current
from flows.release import candidate, making
from tasks.rows.reports import Report, write_report
from tests.conftest import ROOT, small_settings, write_random_lora, write_tiny_index

INDEXED, CALIBRATED = EARLY
# Each stage puts its outputs where the real one does, out of the folder `made`.
STAGES: dict[str, tuple[Sequence[str], Sequence[str]]] = {
    "base": ([], ["data/models/base", "data/models/embedder"]),
    "rerank": (["data/models/embedder"], ["data/models/retriever"]),
    "split": ([], ["data/reports/gate.json"]),
    "knowledge": (["data/reports/gate.json", "data/models/retriever"], ["data/knowledge"]),
    "sft": (["data/knowledge", "data/models/base"], ["data/models/sft"]),
    "rlhf": (["data/models/sft"], ["data/models/rlhf"]),
    "calibrate": (["data/models/sft", "data/models/rlhf"], ["data/calibration.json"]),
    "bundle": (["data/calibration.json"], ["data/bundle"]),
}
HAND_OUT = """
import shutil, sys
from pathlib import Path
if Path("refuse", sys.argv[1]).exists():
    print("error: sft has kept 0.10 of the likelihood of general text", file=sys.stderr)
    raise SystemExit(3)
for name in sys.argv[2:]:
    source, target = Path("made", name), Path(name)
    target.parent.mkdir(parents=True, exist_ok=True)
    (shutil.copytree if source.is_dir() else shutil.copyfile)(source, target)
"""


def speaking(folder: Path, tiny_base: Path) -> dict[str, Path]:
    """A base model that always says `aaa`, and adapters that change nothing: a release has to say a thing."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    shutil.copytree(tiny_base, folder / "base")
    config = json.loads((tiny_base / "config.json").read_text(encoding="utf-8"))
    write_json(folder / "base/config.json", {**config, "tie_word_embeddings": False})
    model = AutoModelForCausalLM.from_pretrained(folder / "base", dtype=torch.float32)
    letter = AutoTokenizer.from_pretrained(tiny_base).convert_tokens_to_ids("a")
    with torch.no_grad():
        model.lm_head.weight.zero_()
        model.lm_head.weight[letter] = 1.0
        model.model.embed_tokens.weight.fill_(1.0)
        for name, weight in model.named_parameters():
            if "o_proj" in name or "down_proj" in name:
                weight.zero_()
    model.save_pretrained(folder / "base")
    for seed, name in enumerate(("sft", "rlhf")):
        write_random_lora(folder / name, folder / "base", seed=seed, spread=0.001)
    return {name: folder / name for name in ("base", "sft", "rlhf")}


def handing_out(folder: Path, models: dict[str, Path], tiny_embedder: Path) -> Path:
    """A project whose stages hand out tiny real parts: a second's chain with releases that really answer."""
    made = folder / "made/data"
    for name, source in {**models, "embedder": tiny_embedder, "retriever": tiny_embedder}.items():
        shutil.copytree(source, made / "models" / name)
    write_tiny_index(made / "knowledge", tiny_embedder, {"svm.SVC": "C=1.0 : float"})
    check = {"name": "dropped", "value": 0, "threshold": 1, "key": "gate.max_dropped", "passed": True}
    write_report(made / "reports/gate.json", Report(stage="gate", figures={"checks": [check]}))
    rule = {"threshold": 0.5, "coverage_weight": 0.0}
    write_json(made / "calibration.json", {"sft": rule, "rlhf": rule})
    write_complete(made / "bundle", made)
    (folder / "hand_out.py").write_text(HAND_OUT, encoding="utf-8")
    lines = ["stages:"]
    for name, (needs, outs) in STAGES.items():
        watched = ["hand_out.py", *needs, *(f"made/{out}" for out in outs)]
        lines += [f"  {name}:", f"    cmd: python hand_out.py {name} {' '.join(outs)}"]
        lines += [f"    deps: [{', '.join(watched)}]", f"    outs: [{', '.join(outs)}]"]
    (folder / "dvc.yaml").write_text("\n".join(lines) + "\n", encoding="utf-8")
    text = (ROOT / "params.yaml").read_text(encoding="utf-8")
    (folder / "params.yaml").write_text(text.replace("max_new_tokens: ", "max_new_tokens: 6 #"), "utf-8")
    return folder


def write_complete(folder: Path, made: Path) -> None:
    """A complete bundle of what lies below `made`."""
    settings = small_settings()
    write_bundle(
        folder,
        name="tiny",
        base=made / "models/base",
        embedder=made / "models/retriever",
        knowledge=made / "knowledge",
        adapters={name: made / "models" / name for name in ("sft", "rlhf")},
        settings=BundledSettings(
            precision="float32",
            retrieval=settings.retrieval,
            prompt=settings.prompt,
            generation=settings.generation.model_copy(update={"max_new_tokens": 6}),
        ),
        gate={},
        ledger={"arms": {}},
    )


def filled(project: Path, *stages: str) -> Path:
    """The project after `stages`, without a run."""
    for name in stages:
        for out in STAGES[name][1]:
            source, target = project / "made" / out, project / out
            remove(target)
            target.parent.mkdir(parents=True, exist_ok=True)
            if source.is_dir():
                shutil.copytree(source, target)
            else:
                shutil.copyfile(source, target)
    return project


def released(project: Path, early: Early | None) -> str:
    """The name of a release of `early`, or of the complete bundle, that nobody asked anything."""
    if early is None:
        with candidate(project, project / "made/data/bundle") as complete:
            complete.publish()
    else:
        with making(project) as made:
            early.fill(project, made)
            with candidate(project, made, take=Path.rename) as new:
                new.verify()
                new.publish()
    return str(current(project))

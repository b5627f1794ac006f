"""Protects the shipped whole: the bundle of the stage loads, answers with every model, and serves."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from deploy.abstention import ABSTENTION
from deploy.answer import Answer, Layers
from deploy.atomic import write_json, write_text
from deploy.bundle import CARD, load_bundle, read_settings, verify_bundle
from deploy.engines.abstaining import Abstaining
from deploy.knowledge.store import open_knowledge
from deploy.messages import Message
from deploy.prompts.template import load_template
from deploy.server.listening import bind
from deploy.settings import GenerationSettings, PromptSettings, RetrievalSettings
from tasks.errors import GateError
from tasks.evaluation.measuring import serve
from tasks.evaluation.thresholds import read_thresholds
from tasks.machine.device import Device
from tasks.machine.settings import RunSettings
from tasks.methods.note import MethodNote, write_note
from tasks.prepare.settings import IndexSettings
from tasks.release.bundle import bundle as bundle_stage
from tasks.release.bundle import check_parity, check_retention
from tasks.release.settings import BundleSettings
from tasks.rows.reports import read_report
from tasks.rows.skipped import skip
from tests.conftest import write_tiny_index

SERVE = """
import sys
from pathlib import Path
from deploy.errors import ThreeplyError
from deploy.server.run import serve
from deploy.settings import ServeSettings
settings = ServeSettings(bundle=sys.argv[1], host="127.0.0.1", port=int(sys.argv[2]), default_model="rlhf",
                         public_key=None, allowed_hosts=[], documents=None, feedback=None, keys=None,
                         tags_without_keys="refuse", requests_per_minute=None, tokens_per_minute=None,
                         log="text", traces=None, max_concurrency=2, max_batch=2, deadline_seconds=60,
                         read_seconds=60, shutdown_seconds=10,
                         max_body_bytes=4096, max_document_bytes=4096, max_messages=4,
                         max_message_characters=4000)
try:
    serve(Path(sys.argv[1]), settings, say=lambda text: print(text, flush=True))
except ThreeplyError as error:
    raise SystemExit(f"error: {error}")
"""
QUESTION = "What is the default of C in svm.SVC?"


def make(
    index: Path, base: Path, embedder: Path, sft: Path, rlhf: Path, folder: Path, template: str = "assistant"
) -> None:
    """Write `folder`/bundle by the stage."""
    write_json(folder / "ledger.json", {"questions": 2})
    write_json(folder / "gate.json", {"stage": "gate"})
    write_text(folder / "card.md", "# Data card\n")
    write_json(folder / "calibration.json", {"sft": {"threshold": 3e-7, "coverage_weight": 10.0}})
    bundle_stage(
        base,
        embedder,
        index,
        sft,
        rlhf,
        folder / "calibration.json",
        folder / "ledger.json",
        folder / "gate.json",
        folder / "card.md",
        None,
        bundle=folder / "bundle",
        report=folder / "bundle.json",
        run=RunSettings(seed=1, threads=1, precision="float32", attn_implementation="auto"),
        retrieval=RetrievalSettings(top_k=2, candidates=10, dense_weight=0.5, fusion="scores"),
        prompt=PromptSettings(template=template),
        generation=GenerationSettings(max_new_tokens=6, temperature=0.0, top_p=1.0),
        indexing=IndexSettings(chunk_words=48, batch_size=4, embedded_tokens=16, faiss="flat"),
        settings=BundleSettings(name="tiny", min_retention=0.5, max_parity_gap=0.001, signing_key=None),
    )


def test_a_model_that_has_forgotten_too_much_is_not_shipped(tmp_path: Path) -> None:
    places = {"sft": tmp_path, "methods": tmp_path / "methods.json"}
    arms = {"base": {"retention": 1.0}, "sft": {"retention": 0.7}, "rlhf": {"retention": 0.48}}
    arms["rule"] = {"retention": None}  # there is no model that could have forgotten anything
    check_retention({"arms": arms}, 0.45, **places)
    with pytest.raises(GateError, match=r"rlhf has kept 0\.48 .*is 0\.5\..*lower rlhf.learning_rate"):
        check_retention({"arms": arms}, 0.5, **places)
    write_note(tmp_path, MethodNote(method="lora", settings={"learning_rate": 0.002}, cannot={}))
    write_json(tmp_path / "methods.json", {"prefix": {"score": 0.4, "retention": 0.97}})
    with pytest.raises(GateError) as caught:
        check_retention({"arms": arms}, 0.8, **places)
    told = str(caught.value)
    assert told.startswith(
        "sft has kept 0.70 of the likelihood of general text, and bundle.min_retention is 0.8"
    )
    for words in ("sft.replay", "sft.lora.learning_rate (now 0.002)", "prefix kept 0.97"):
        assert words in told


def test_a_model_that_is_not_the_one_that_was_trained_is_not_shipped() -> None:
    same, other = {"gap": 1e-5, "differing": 0}, {"gap": 0.3, "differing": 2}
    parity = {"sft": {"answers": 6, "forms": {"saved": same, "merged": same}, "rounding": other}}
    check_parity({"parity": parity}, 0.001)
    for wrong in (other, {"gap": 1e-5, "differing": 1}, {"gap": float("nan"), "differing": 0}):
        parity["sft"]["forms"] = {"saved": same, "merged": wrong}
        with pytest.raises(GateError, match=r"sft as merged is not the model that was trained.*dvc repro"):
            check_parity({"parity": parity}, 0.001)


@pytest.fixture(scope="module")
def bundle(
    tiny_base: Path,
    tiny_embedder: Path,
    tiny_adapters: dict[str, Path],
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    """A bundle of tiny real parts, made by the stage."""
    folder = tmp_path_factory.mktemp("bundling")
    texts = {"svm.SVC": "svm.SVC(C=1.0)\n\nC=1.0 : float", "np.sort": "np.sort(a)\n\na : array to sort"}
    write_tiny_index(folder / "index", tiny_embedder, texts)
    make(folder / "index", tiny_base, tiny_embedder, tiny_adapters["sft"], tiny_adapters["rlhf"], folder)
    return folder / "bundle"


def test_the_report_tells_what_was_shipped(bundle: Path) -> None:
    figures = read_report(bundle.parent / "bundle.json").figures
    assert figures["models"] == ["base", "sft", "rlhf"]
    assert read_settings(bundle).abstention == {"sft": Abstaining(threshold=3e-7, coverage_weight=10.0)}
    assert figures["files"] == len(verify_bundle(bundle).files)
    assert (bundle / CARD).read_bytes() == (bundle.parent / "card.md").read_bytes()


def test_a_layer_that_was_left_out_is_not_shipped(
    bundle: Path, tiny_base: Path, tiny_embedder: Path, tiny_adapters: dict[str, Path], tmp_path: Path
) -> None:
    left_out = tmp_path / "rlhf"
    places = {"adapter": left_out, "curve": tmp_path / "curve.csv", "report": tmp_path / "rlhf.json"}
    skip("rlhf", "no pairs", kind="example", entered=0, **places)
    make(bundle.parent / "index", tiny_base, tiny_embedder, tiny_adapters["sft"], left_out, tmp_path)
    assert verify_bundle(tmp_path / "bundle").models == ("base", "sft")


def test_a_loaded_bundle_answers_with_every_model_and_its_sources(bundle: Path) -> None:
    assistant = load_bundle(bundle)
    assert assistant.models == ("base", "sft", "rlhf")
    for model in assistant.models:
        [answer] = assistant.answer([[Message("user", QUESTION)]], model=model, layers=Layers())
        assert answer.completion_tokens > 0
        assert {source.document for source in answer.sources} == {"svm.SVC", "np.sort"}


def test_what_is_served_abstains_where_what_is_evaluated_does(
    bundle: Path, tiny_base: Path, tiny_embedder: Path, tiny_adapters: dict[str, Path]
) -> None:
    settings = read_settings(bundle)
    evaluated = serve(
        tiny_base,
        {"sft": tiny_adapters["sft"]},
        open_knowledge(bundle.parent / "index", tiny_embedder, settings.retrieval),
        load_template("assistant"),
        device=Device(name="cpu", threads=1, precision="float32"),
        generation=settings.generation,
        batch_size=4,
        abstention=read_thresholds(bundle.parent / "calibration.json"),
    )
    served = load_bundle(bundle)
    # An untrained model gives the sentence no chance to speak of: here coverage alone decides.
    talks = [[Message("user", QUESTION)], [Message("user", "Who wrote xgboost?")]]
    together = evaluated.assistant.answer(talks, model="sft", layers=Layers())
    assert [ABSTENTION.startswith(answer.text) for answer in together] == [False, True]
    for talk, expected in zip(talks, together, strict=True):
        [alone] = served.answer([talk], model="sft", layers=Layers())
        *_, streamed = served.stream(talk, model="sft", layers=Layers())
        assert isinstance(streamed, Answer)
        assert expected.text == alone.text == streamed.text


def test_a_template_of_the_users_own_serves_from_the_bundle_alone(
    bundle: Path, tiny_base: Path, tiny_embedder: Path, tiny_adapters: dict[str, Path], tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    own = Path("sources/prompts/mine.prompty")
    own.parent.mkdir(parents=True)
    own.write_text("---\nversion: 1.0.0\n---\nuser:\nShort, please: {{ question }}\n", encoding="utf-8")
    adapters = tiny_adapters["sft"], tiny_adapters["rlhf"]
    make(bundle.parent / "index", tiny_base, tiny_embedder, *adapters, tmp_path, own.as_posix())
    own.unlink()
    (tmp_path / "bundle").rename(tmp_path / "elsewhere")
    assistant = load_bundle(tmp_path / "elsewhere")
    [composed] = assistant.compose([[Message("user", QUESTION)]], layers=Layers())
    assert [turn.content for turn in composed.messages] == [f"Short, please: {QUESTION}"]
    [answer] = assistant.answer([[Message("user", QUESTION)]], model="sft", layers=Layers())
    assert answer.completion_tokens > 0


def start(bundle: Path, port: int = 0) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", SERVE, str(bundle), str(port)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_a_server_says_where_it_listens_answers_and_ends_cleanly(bundle: Path) -> None:
    process = start(bundle)
    assert process.stdout is not None
    assert process.stderr is not None
    said = []
    while not said or not said[-1].startswith("listening on "):
        line = process.stdout.readline()
        assert line, process.stderr.read()
        said.append(line.strip())
    address = said[-1].split()[2]
    try:
        health = httpx.get(f"{address}/healthz").json()
        assert health["bundle"] == "tiny"
        body = {"model": "sft", "messages": [{"role": "user", "content": "canary-7431"}]}
        reply = httpx.post(f"{address}/v1/chat/completions", json=body, timeout=30).json()
        assert reply["model"] == "sft"
        assert reply["system_fingerprint"] == health["manifest"][:12]
    finally:
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=20)
    assert process.returncode == 0
    assert "stopped" in out
    assert "Traceback" not in err
    assert "/v1/chat/completions" in err
    assert "canary-7431" not in out + err


def test_a_taken_port_is_a_sentence_before_anything_is_loaded(bundle: Path) -> None:
    with bind("127.0.0.1", 0) as taken:
        taken.listen()
        port = taken.getsockname()[1]
        began = time.monotonic()
        process = start(bundle, port)
        out, err = process.communicate(timeout=30)
    assert process.returncode == 1
    assert f"port {port} on 127.0.0.1 is taken" in err
    assert "loading" not in out
    assert time.monotonic() - began < 20


def test_a_damaged_bundle_is_not_served(bundle: Path, tmp_path: Path) -> None:
    import shutil

    copy = tmp_path / "copy"
    shutil.copytree(bundle, copy)
    settings = json.loads((copy / "settings.json").read_text())
    (copy / "settings.json").write_text(json.dumps({**settings, "precision": "auto"}))
    process = start(copy)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 1
    assert "settings.json: has" in err
    assert "listening" not in out

"""Small real things that several rooms test with: a tiny model, adapters on it, an embedder, an index."""

import gc
import os
import signal
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from hypothesis import settings as properties

from benchmarks.models.families import write_tiny_model
from tasks.machine.process import QUIET
from tasks.settings import Settings, load_settings

# As every stage runs: no library may speak to the outside.
os.environ.update(QUIET)
# Tiny models gain nothing from threads, and lose tenfold where the threads outnumber free cores.
os.environ["OMP_NUM_THREADS"] = "1"
# A runner in the background may hand down an ignored Ctrl-C, and every child would inherit it.
signal.signal(signal.SIGINT, signal.default_int_handler)

# No test fails because the machine is busy.
properties.register_profile("any machine", deadline=None)
properties.load_profile("any machine")

# Of several workers (pytest -n) each has cores of its own, and so have the processes that its tests start:
# threads that outnumber their cores wait for each other, and the smoke chain would take three times as long.
if (worker := os.environ.get("PYTEST_XDIST_WORKER")) and hasattr(os, "sched_setaffinity"):
    _CORES, _WORKERS = sorted(os.sched_getaffinity(0)), int(os.environ["PYTEST_XDIST_WORKER_COUNT"])
    os.sched_setaffinity(0, _CORES[int(worker.removeprefix("gw")) % _WORKERS :: _WORKERS] or _CORES)

ROOT = Path(__file__).parents[1]  # of the project


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    """Every test begins with one thread, whatever those before it have set: sums depend on their number."""
    yield
    if torch := sys.modules.get("torch"):
        torch.set_num_threads(1)


@pytest.fixture(autouse=True)
def _little_to_look_through() -> None:
    """What lives when a test begins, the libraries above all, is looked through no more for what to free.

    A collection of a heap with PyTorch, transformers and Prefect takes 0.3 s, a small training asks for
    several, and Python itself for more: half of such a test's time.
    """
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def tiny_base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the tiny model."""
    return write_tiny_model(tmp_path_factory.mktemp("tiny_base"))


@pytest.fixture(scope="session")
def tiny_adapters(tiny_base: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Two random LoRA adapters over the tiny model, as PEFT saves them: `sft` and `rlhf`."""
    folder = tmp_path_factory.mktemp("tiny_adapters")
    return {
        name: write_random_lora(folder / name, tiny_base, seed=seed, spread=0.3)
        for seed, name in enumerate(("sft", "rlhf"), start=1)
    }


def write_random_lora(folder: Path, base: Path, *, seed: int, spread: float) -> Path:
    """Fill `folder` with a LoRA over all layers of `base`; with a `spread` of 0 it changes nothing."""
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    torch.manual_seed(seed)
    config = LoraConfig(r=4, lora_alpha=8, target_modules="all-linear", task_type="CAUSAL_LM")
    model = get_peft_model(AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32), config)
    for name, parameter in model.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(parameter, std=spread)
    model.save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def tiny_embedder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the tiny sentence encoder."""
    return write_tiny_embedder(tmp_path_factory.mktemp("tiny_embedder"))


def write_tiny_embedder(folder: Path) -> Path:
    """Fill `folder` / model with a random one-layer BERT of 16 dimensions, as its library saves it."""
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer import modules
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
    from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
    letters = [chr(code) for code in range(33, 127)]
    vocabulary = {piece: at for at, piece in enumerate([*special, *letters, *(f"##{x}" for x in letters)])}
    raw = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    raw.normalizer = normalizers.Lowercase()
    raw.pre_tokenizer = pre_tokenizers.Whitespace()
    raw.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    PreTrainedTokenizerFast(
        tokenizer_object=raw,
        pad_token="[PAD]",
        unk_token="[UNK]",
        cls_token="[CLS]",
        sep_token="[SEP]",
        model_max_length=128,
    ).save_pretrained(folder / "bert")
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(vocabulary),
        hidden_size=16,
        intermediate_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        max_position_embeddings=128,
    )
    BertModel(config).save_pretrained(folder / "bert")
    transformer = modules.Transformer(str(folder / "bert"), max_seq_length=128)
    pooling = modules.Pooling(16)
    model = SentenceTransformer(modules=[transformer, pooling, modules.Normalize()], device="cpu")
    model.save(str(folder / "model"), create_model_card=False)
    return folder / "model"


def write_tiny_index(folder: Path, embedder: Path, texts: Mapping[str, str], *tags: str) -> Path:
    """Fill `folder` with the index of a document for each title and text, with its title as its id.

    They are for whoever holds one of the tags.
    """
    from deploy.knowledge.building import build_knowledge
    from deploy.knowledge.chunking import KnowledgeDocument, chunk_documents
    from deploy.knowledge.embedder import SentenceEmbedder

    documents = [
        KnowledgeDocument(id=title, uri=f"py:{title}", title=title, text=text, tags=tags)
        for title, text in texts.items()
    ]
    chunks = list(chunk_documents(documents, max_words=48))
    build_knowledge(folder, documents, chunks, embedder=SentenceEmbedder(embedder), dense="flat")
    return folder


def small_settings(**sections: Mapping[str, object]) -> Settings:
    """The project's settings for one thread and float32, with other values in some `sections`."""
    values = load_settings(ROOT / "params.yaml")
    changed: dict[str, Mapping[str, object]] = {"run": {"threads": 1, "precision": "float32"}, **sections}
    update = {name: getattr(values, name).model_copy(update=over) for name, over in changed.items()}
    return values.model_copy(update=update)

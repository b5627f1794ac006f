"""Protects the reranker: it is what was trained, it fits its embedder, and every search uses it."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from deploy.engines.precision import choose_device
from deploy.errors import KnowledgeError
from deploy.knowledge.hits import Hit
from deploy.knowledge.reranker import FOLDER, NOTE, WEIGHTS, Reranker, open_reranker
from deploy.knowledge.store import KnowledgeStore, open_knowledge
from deploy.settings import RetrievalSettings
from tests.conftest import write_tiny_index
from tests.deploy.knowledge.reranked import random_reranker, write_random_reranker

TEXTS = {f"d{n}": f"price{n} : float, what kind{n} costs in the year {2000 + n}" for n in range(8)}
QUERY = "what does kind3 cost"
SETTINGS = RetrievalSettings(top_k=3, candidates=20, dense_weight=0.3, fusion="scores")


def hits(scores: list[float]) -> list[Hit]:
    """A hit with each score; the texts are of different lengths."""
    return [
        Hit(chunk=at, document=f"d{at}", uri="", title="", text="z" * (at + 1) + " x" * at, score=score)
        for at, score in enumerate(scores)
    ]


def test_untrained_it_leaves_every_order_as_it_is(tiny_embedder: Path) -> None:
    from deploy.knowledge.cross_encoder import PairTokenizer, untrained

    given = hits([0.9, 0.8, 0.8, 0.1, 0.0])
    model, tokenizer = untrained(tiny_embedder), PairTokenizer(tiny_embedder, max_tokens=32)
    found = Reranker(model, tokenizer, candidates=10).rerank("a", "b", given)
    assert [hit.document for hit in found] == [hit.document for hit in given]
    assert sum(hit.score for hit in found) == pytest.approx(1.0)


def test_what_lies_behind_the_candidates_stays_behind_them(tiny_embedder: Path, tmp_path: Path) -> None:
    reranker = random_reranker(tiny_embedder, tmp_path / "own", candidates=3)
    found = reranker.rerank("a", "", hits([0.9, 0.8, 0.7, 0.6, 0.5]))
    assert {hit.document for hit in found[:3]} == {"d0", "d1", "d2"}
    assert [hit.document for hit in found[3:]] == ["d3", "d4"]
    assert [hit.score for hit in found] == sorted((hit.score for hit in found), reverse=True)
    assert reranker.rerank("a", "", []) == []


def test_saved_and_read_again_it_is_the_model_that_was_trained(tiny_embedder: Path, tmp_path: Path) -> None:
    import torch

    from deploy.knowledge.cross_encoder import PairTokenizer, learn_above, untrained
    from deploy.knowledge.reranker import write_reranker

    shutil.copytree(tiny_embedder, tmp_path / "own")
    model, tokenizer = untrained(tmp_path / "own"), PairTokenizer(tmp_path / "own", max_tokens=32)
    learn_above(model, None)
    torch.manual_seed(3)
    with torch.no_grad():
        model.head.normal_(std=3.0)
        for parameter in model.bert.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.1 * parameter.requires_grad)
    trained = Reranker(model, tokenizer, candidates=4)
    write_reranker(tmp_path / "own", model, tokenizer, candidates=4)
    read = open_reranker(tmp_path / "own")
    assert read is not None
    given = hits([0.5, 0.5, 0.4, 0.4])
    before, after = (
        {hit.document: hit.score for hit in each.rerank("a b", "", given)} for each in (trained, read)
    )
    assert after == pytest.approx(before, abs=1e-5)
    assert max(before.values()) - min(before.values()) > 0.05


def test_pairs_in_a_batch_have_the_logits_that_they_have_alone(tiny_embedder: Path) -> None:
    import torch

    from deploy.knowledge.cross_encoder import PairTokenizer, untrained

    model, tokenizer = untrained(tiny_embedder).eval(), PairTokenizer(tiny_embedder, max_tokens=32)
    torch.nn.init.normal_(model.head)
    passages = [hit.text for hit in hits([0.0] * 5)]
    with torch.no_grad():
        batch = model(tokenizer(["a"] * 5, passages), torch.full((5,), 0.5))
        alone = [model(tokenizer(["a"], [each]), torch.tensor([0.5]))[0] for each in passages]
    assert batch.tolist() == pytest.approx([float(each) for each in alone], abs=1e-4)
    assert len({round(float(each), 3) for each in alone}) > 1
    assert tokenizer.cut(["a", "a"], ["b", "b " * 40]) == 1


@pytest.fixture
def opened(tiny_embedder: Path, tmp_path: Path) -> tuple[KnowledgeStore, KnowledgeStore, Reranker]:
    """A store that is searched by the fusion, the same with a reranker, and that."""
    index = write_tiny_index(tmp_path / "index", tiny_embedder, TEXTS)
    own = write_random_reranker(tiny_embedder, tmp_path / "own", candidates=5)
    _, dtype = choose_device("auto")  # as a store opens it
    reranker = open_reranker(own, dtype=dtype)
    assert reranker is not None
    five = SETTINGS.model_copy(update={"top_k": 5})
    return open_knowledge(index, tiny_embedder, five), open_knowledge(index, own, SETTINGS), reranker


def test_a_search_gives_the_best_of_what_the_fusion_finds_in_the_rerankers_order(
    opened: tuple[KnowledgeStore, KnowledgeStore, Reranker],
) -> None:
    fusion, store, reranker = opened
    queries, before = [QUERY, "kind7"], ["", "what about kind1 and its price1"]
    exclude = [("d3",), ()]
    fused = fusion.search(queries, before=before, exclude=exclude)
    found = store.search(queries, before=before, exclude=exclude)
    earlier = store.still_asked(before, queries)
    for query, said, some, best in zip(queries, earlier, fused, found, strict=True):
        wanted = reranker.rerank(query, said, some)[:3]
        assert [hit.document for hit in best] == [hit.document for hit in wanted]
        assert [hit.score for hit in best] == pytest.approx([hit.score for hit in wanted], rel=1e-3)
    assert [hit.document for hit in found[0]] != [hit.document for hit in fused[0]][:3]
    assert "d3" not in {hit.document for hit in found[0]}


def forged(own: Path, **changed: object) -> None:
    """Write other values into the note."""
    path = own / FOLDER / NOTE
    path.write_text(json.dumps({**json.loads(path.read_text()), **changed}))


def damaged(own: Path) -> None:
    path = own / FOLDER / WEIGHTS
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)


def unnumbered(own: Path) -> None:
    """Weights that are no numbers, with the checksum of theirs."""
    from safetensors.torch import load_file, save_file

    from deploy.files import sha256_of

    path = own / FOLDER / WEIGHTS
    weights = load_file(path)
    weights["head"].fill_(float("nan"))
    save_file(weights, path)
    forged(own, weights=sha256_of(path))


@pytest.mark.parametrize(
    ("harm", "message"),
    [
        (lambda own: forged(own, embedder="0" * 64), "was trained from the embedder 000000000000, but"),
        (lambda own: forged(own, vocabulary="0" * 64), "was trained with another tokenizer than that of"),
        (lambda own: forged(own, weights=1), "reranker.json cannot be read: weights: "),
        (lambda own: (own / FOLDER / NOTE).unlink(), "reranker.json cannot be read: No such file"),
        (lambda own: (own / FOLDER / WEIGHTS).unlink(), "weights.safetensors cannot be read: No such file"),
        (damaged, "weights.safetensors is damaged: its checksum is not the one that was noted"),
        (unnumbered, "does not fit the embedder: head in weights.safetensors cannot be used"),
    ],
)
def test_what_does_not_belong_to_the_embedder_is_refused_by_name(
    harm: Callable[[Path], object], message: str, tiny_embedder: Path, tmp_path: Path
) -> None:
    own = write_random_reranker(tiny_embedder, tmp_path / "own")
    harm(own)
    with pytest.raises(KnowledgeError, match=message) as refused:
        open_reranker(own)
    assert "run the stage `rerank` again, or delete that folder" in str(refused.value)


def test_without_one_nothing_is_opened(tiny_embedder: Path) -> None:
    assert open_reranker(tiny_embedder) is None

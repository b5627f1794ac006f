"""Protects that what was added while serving is reranked as well, and that closed texts stay closed."""

from pathlib import Path

from deploy.documents.live import LiveKnowledge
from deploy.knowledge.store import KnowledgeStore
from tests.deploy.documents.made import SETTINGS, STORED, WORDS, found, store, text
from tests.deploy.knowledge.hashed import HashedEmbedder
from tests.deploy.knowledge.reranked import random_reranker

QUERY = "what is written of the office and of trains"
ADDED = [text(f"note{n}", f"Note {n * 7} of the office, trains {'z' * n}.") for n in range(4)]


def test_added_documents_are_reranked_and_closed_ones_never_shown(
    tiny_embedder: Path, tmp_path: Path
) -> None:
    reranker = random_reranker(tiny_embedder, tmp_path / "own", candidates=6)
    store(tmp_path / "store").close()
    six = SETTINGS.model_copy(update={"top_k": 6})
    reranked, fused = (
        LiveKnowledge(
            KnowledgeStore(tmp_path / "store", HashedEmbedder(), chosen, reranker=each),
            tmp_path / "added",
            chunk_words=WORDS,
        )
        for chosen, each in ((SETTINGS, reranker), (six, None))
    )
    for document in ADDED:
        reranked.put(document, ["board"] if document.id == "note3" else ())
    [before] = fused.search([QUERY])
    wanted = [hit.document for hit in reranker.rerank(QUERY, "", before)][: SETTINGS.top_k]
    assert found(reranked, QUERY) == wanted
    assert wanted != [hit.document for hit in before][: SETTINGS.top_k]
    assert {hit.document for hit in before} & {each.id for each in ADDED}
    for held in ((), ("staff",)):
        [hits] = reranked.search([QUERY], held=held)
        assert len(hits) == SETTINGS.top_k
        assert "note3" not in {hit.document for hit in hits}
    [hits] = reranked.search([QUERY], exclude=[[each.id for each in (*ADDED, *STORED[:3])]])
    assert {hit.document for hit in hits} == {"travel"}

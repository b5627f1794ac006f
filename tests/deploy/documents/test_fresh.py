"""Protects what an added passage is worth: the same as if it had been in the store from the beginning."""

from pathlib import Path

import numpy as np
import pytest

from deploy.documents.fresh import FreshDocument, FreshIndex
from deploy.knowledge.chunking import KnowledgeDocument, chunk_documents
from deploy.knowledge.lexical import LexicalIndex
from tests.deploy.documents.made import STORED, WORDS, live, text
from tests.deploy.knowledge.hashed import HashedEmbedder

QUERIES = [
    "In `svm.SVC`, what is the default of `C`?",
    "holidays a year",
    "what does isclose do with rtol",
    "nobody knows xylophones",
    "office office office",
]


def fresh(documents: list[KnowledgeDocument], lexical: LexicalIndex) -> FreshIndex:
    embedder = HashedEmbedder()
    made = []
    for document in documents:
        chunks = tuple(chunk_documents([document], max_words=WORDS))
        made.append(FreshDocument(document, chunks, embedder.embed_texts([chunk.text for chunk in chunks])))
    return FreshIndex(made, lexical, dimensions=embedder.dimensions)


def test_without_a_store_the_scores_by_words_are_those_of_a_store() -> None:
    chunks = list(chunk_documents(STORED, max_words=WORDS))
    built = LexicalIndex.build([chunk.text for chunk in chunks], [chunk.title for chunk in chunks])
    index = fresh(STORED, LexicalIndex.build([], []))
    places = np.arange(len(chunks))
    for query in QUERIES:
        assert index.worded(query) == pytest.approx(built.scores(query), abs=1e-4)
        covered = [
            index.hit(at, score=0.0, query=query, before="what is the office").coverage for at in places
        ]
        assert covered == pytest.approx(built.coverage([query, "what is the office"], places), abs=1e-4)


def test_a_word_is_as_rare_as_it_is_among_all_chunks() -> None:
    chunks = list(chunk_documents(STORED, max_words=WORDS))
    built = LexicalIndex.build([chunk.text for chunk in chunks], [chunk.title for chunk in chunks])
    index = fresh([text("new", "The office has an aquarium.")], built)
    whole = fresh([*STORED, text("new", "The office has an aquarium.")], LexicalIndex.build([], []))
    for word in ("office", "aquarium", "the", "unheard"):
        assert index.rarity(word) == pytest.approx(whole.rarity(word))


@pytest.mark.parametrize("query", QUERIES)
def test_a_document_is_found_as_well_whether_it_is_added_or_stored(query: str, tmp_path: Path) -> None:
    (tmp_path / "some").mkdir()
    (tmp_path / "all").mkdir()
    some, everything = live(tmp_path / "some", STORED[:2]), live(tmp_path / "all")
    for document in STORED[2:]:
        some.put(document)
    [one], [other] = some.search([query]), everything.search([query])
    assert [hit.text for hit in one][:1] == [hit.text for hit in other][:1]
    for hit in one:
        assert 0.0 <= hit.score <= 1.0
        assert 0.0 <= hit.coverage <= 1.0

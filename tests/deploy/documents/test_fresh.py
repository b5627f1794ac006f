"""Protects what an added passage is worth: the same as if it had been in the store from the beginning.

And that it is worth the same after whatever changes, at a cost that does not grow with what is there.
"""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deploy.documents.fresh import FreshIndex
from deploy.documents.segment import FreshDocument, Segment
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


NO_STORE = LexicalIndex.build([], [])


def made(document: KnowledgeDocument) -> FreshDocument:
    chunks = tuple(chunk_documents([document], max_words=WORDS))
    return FreshDocument(document, chunks, HashedEmbedder().embed_texts([chunk.text for chunk in chunks]))


def fresh(documents: list[KnowledgeDocument], lexical: LexicalIndex) -> FreshIndex:
    return FreshIndex.of(map(made, documents), lexical, dimensions=HashedEmbedder().dimensions)


def scored(index: FreshIndex, query: str) -> dict[tuple[str, int], list[float]]:
    """What each chunk that is there gets by words and by meaning, and what it covers."""
    vector = HashedEmbedder().embed_queries([query])[0]
    worded, meant = index.worded(query), index.meant(vector)
    return {
        index.place(at): [
            float(worded[at]),
            float(meant[at]),
            index.hit(at, score=0.0, query=query, before="").coverage,
        ]
        for at in np.flatnonzero(index.shown(())).tolist()
    }


def test_without_a_store_the_scores_by_words_are_those_of_a_store() -> None:
    chunks = list(chunk_documents(STORED, max_words=WORDS))
    built = LexicalIndex.build([chunk.text for chunk in chunks], [chunk.title for chunk in chunks])
    index = fresh(STORED, NO_STORE)
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
    whole = fresh([*STORED, text("new", "The office has an aquarium.")], NO_STORE)
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


NAMES = st.sampled_from([f"doc{n}" for n in range(6)])
WORDED = ["office", "holidays", "aquarium", "isclose", "trains"]
TEXTS = st.sampled_from(
    [" ".join([word] * 3 + [f"the {word} {n}" for n in range(size)]) for size, word in enumerate(WORDED)]
)


@pytest.fixture(params=[2, 1000])
def at_once(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("deploy.documents.fresh.AT_ONCE", request.param)


@pytest.mark.usefixtures("at_once")
@given(changes=st.lists(st.tuples(NAMES | st.just("compact"), st.none() | TEXTS), max_size=30))
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_after_any_changes_it_is_what_it_would_be_if_it_were_made_anew(
    changes: list[tuple[str, str | None]],
) -> None:
    index, left = fresh([], NO_STORE), dict[str, KnowledgeDocument]()
    for name, words in changes:
        if name == "compact":
            index = index.compacted()
            assert not index.is_scattered
        elif words is None:
            index = index.without(name)
            left.pop(name, None)
        else:
            left[name] = text(name, words)
            index = index.with_document(made(left[name]))
    anew = fresh(list(left.values()), NO_STORE)
    assert index.documents.keys() == left.keys()
    assert len(index) == len(anew)
    for query in ("the office holidays", "aquarium 1 trains", "isclose"):
        one, other = scored(index, query), scored(anew, query)
        assert one.keys() == other.keys()
        for place, figures in one.items():
            assert figures == pytest.approx(other[place], abs=1e-5)
    for word in ("office", "aquarium", "the"):
        assert index.rarity(word) == anew.rarity(word)
        assert (word in index.known) == (word in anew.known)


def test_an_earlier_index_is_not_changed_by_what_comes_after() -> None:
    index = fresh(STORED, NO_STORE)
    before = scored(index, QUERIES[1])
    index.with_document(made(text("new", "Holidays of the office."))).without("handbook")
    assert scored(index, QUERIES[1]) == before


def test_each_document_is_laid_out_a_few_times_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    laid_out: list[int] = []
    plain = Segment.__init__

    def counted(self: Segment, documents: list[FreshDocument]) -> None:
        laid_out.append(len(documents))
        plain(self, documents)

    monkeypatch.setattr(Segment, "__init__", counted)
    index, like = fresh([], NO_STORE), made(text("x", "The office."))
    for number in range(256):
        document = text(f"d{number}", "The office.")
        index = index.with_document(FreshDocument(document, like.chunks, like.vectors))
    assert len(index) == 256
    assert sum(laid_out) <= 256 * 9  # once when it comes, then the logarithm of 256
    laid_out.clear()
    for number in range(250):
        index = index.without(f"d{number}")
    assert len(index) == 6
    assert sum(laid_out) <= 4 * 256
    assert len(index.shown(())) <= 8  # those that have gone are no longer looked at


def test_what_a_change_leaves_is_laid_out_later_and_then_it_is_few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("deploy.documents.fresh.AT_ONCE", 8)
    index, like = fresh([], NO_STORE), made(text("x", "The office."))
    for number in range(100):
        document = text(f"d{number}", "The office.")
        index = index.with_document(FreshDocument(document, like.chunks, like.vectors))
    assert index.is_scattered
    compacted = index.compacted()
    assert not compacted.is_scattered
    assert scored(compacted, "office") == scored(index, "office")
    thin = compacted
    for number in range(40):
        thin = thin.without(f"d{number}")
    assert thin.is_scattered
    assert len(thin.shown(())) == 100
    assert len(thin.compacted().shown(())) == 60


def test_changes_of_meanwhile_are_done_once_more() -> None:
    before = fresh(STORED, NO_STORE)
    later = before.without("travel").with_document(made(text("new", "Holidays.")))
    later = later.with_document(made(text("handbook", "The office has moved.")))
    after = before.compacted().followed_by(later)
    assert after.documents == later.documents
    assert all(after.documents[name] is document for name, document in later.documents.items())
    for query in QUERIES:
        one, other = scored(after, query), scored(later, query)
        assert one.keys() == other.keys()
        for place, figures in one.items():
            assert figures == pytest.approx(other[place], abs=1e-5)


def test_what_is_excluded_is_not_shown_and_neither_is_what_has_gone() -> None:
    index = fresh(STORED, NO_STORE).without("travel")

    def shown(*exclude: str) -> set[str]:
        return {index.place(at)[0] for at in np.flatnonzero(index.shown(exclude)).tolist()}

    names = {document.id for document in STORED} - {"travel"}
    assert shown() == names
    assert shown("handbook", "nobody") == names - {"handbook"}
    assert shown(*names, *(f"more{n}" for n in range(20))) == set()

"""Protects that chunking loses no word, keeps to its length, and starts chunks where definitions start."""

from hypothesis import given
from hypothesis import strategies as st

from deploy.knowledge.chunking import KnowledgeDocument, chunk_documents, split_text

ANY_TEXT = st.text(st.sampled_from("ab C=1.:\n \t`é。!?*"), max_size=400)


def document(text: str, *, name: str = "a", title: str = "svm.SVC") -> KnowledgeDocument:
    return KnowledgeDocument(id=name, uri=f"py:{name}", title=title, text=text)


@given(text=ANY_TEXT, max_words=st.integers(1, 20))
def test_every_word_is_kept_in_its_place_and_no_piece_is_too_long(text: str, max_words: int) -> None:
    pieces = split_text(text, max_words=max_words)
    assert " ".join(pieces).split() == text.split()
    assert all(0 < len(piece.split()) <= max_words for piece in pieces)


@given(text=ANY_TEXT)
def test_equal_documents_have_equal_chunks_with_ids_of_their_own(text: str) -> None:
    chunks = list(chunk_documents([document(text)], max_words=5))
    assert chunks == list(chunk_documents([document(text)], max_words=5))
    assert len({chunk.id for chunk in chunks}) == len(chunks)


def test_small_paragraphs_share_a_piece_and_stay_whole() -> None:
    assert split_text("one two\n\nthree\n \nfour five six", max_words=4) == [
        "one two\nthree",
        "four five six",
    ]


def test_a_long_paragraph_is_cut_at_the_ends_of_sentences_in_even_parts() -> None:
    text = "One two three. Four five, i.e. six. Seven eight nine. Ten."
    assert split_text(text, max_words=9) == ["One two three. Four five, i.e. six.", "Seven eight nine. Ten."]


def test_a_sentence_without_end_is_cut_between_words() -> None:
    assert split_text("a b c d e", max_words=2) == ["a b", "c d", "e"]


def test_a_definition_does_not_stand_behind_the_end_of_another_paragraph() -> None:
    long = "gamma : float\nIt is one. It is two. It is three. It is four."
    assert split_text(f"{long}\n\nC=1.0 : float", max_words=12)[-1] == "C=1.0 : float"
    assert split_text(f"{long}\n\nplain words", max_words=12)[-1].endswith("plain words")
    assert split_text("tol : float\n\nC=1.0 : float", max_words=12) == ["tol : float\nC=1.0 : float"]


def test_the_title_heads_each_chunk() -> None:
    chunks = list(chunk_documents([document("a b c d")], max_words=2))
    assert [chunk.text for chunk in chunks] == ["svm.SVC\na b", "svm.SVC\nc d"]
    assert [chunk.text for chunk in chunk_documents([document("a", title="")], max_words=2)] == ["a"]


def test_an_id_depends_on_its_own_document_and_words_alone() -> None:
    alone = {chunk.body: chunk.id for chunk in chunk_documents([document("x y\n\nz")], max_words=2)}
    beside = chunk_documents([document("other", name="b"), document("new new\n\nx y")], max_words=2)
    assert {chunk.body: chunk.id for chunk in beside}["x y"] == alone["x y"]


def test_a_document_without_words_has_no_chunk() -> None:
    assert list(chunk_documents([document(" \n\n\t")], max_words=5)) == []

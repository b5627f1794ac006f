"""Protects what a reranker learns from: the search's own mistakes, and no passage that answers among them."""

from contextlib import closing
from dataclasses import replace
from pathlib import Path

from deploy.knowledge.store import open_knowledge
from deploy.messages import Message
from deploy.settings import RetrievalSettings
from tasks.training.ranking.mining import NOT_FOUND, NOTHING_ELSE, mine, teaching
from tests.tasks.training.ranking.made import asked, write_ambiguous_index


def test_negatives_are_what_the_search_ranks_high_and_does_not_answer(
    tiny_embedder: Path, tmp_path: Path
) -> None:
    index = write_ambiguous_index(tmp_path, tiny_embedder, 6)
    plain = asked(range(4))
    turns = (Message("user", "What about kind5?"), Message("assistant", "2.0"), Message("user", "And C?"))
    follows = replace(plain[0], messages=(*turns, plain[0].messages[-1]), evidence=("right5",))
    withheld = replace(plain[1], withheld=("right1",))
    settings = RetrievalSettings(top_k=4, candidates=20, dense_weight=0.0, fusion="scores")
    with closing(open_knowledge(index, tiny_embedder, settings)) as store:
        found = mine([plain[0], follows, withheld], store)
    assert [len(each.hits) for each in found] == [4, 4, 4]
    assert [each.hits[at].document for each in found[:2] for at, true in enumerate(each.right) if true] == [
        "right0",
        "right5",
    ]
    assert {hit.document for hit in found[0].hits[:2]} == {"wrong0", "right0"}
    assert found[0].question == "What is C of kind0?"
    assert found[1].question == f"{found[1].before}\nAnd C?"
    assert "kind5" in found[1].before
    assert "right1" not in {hit.document for hit in found[2].hits}
    alone = replace(found[0], hits=found[0].hits[:1], right=(True,))
    assert teaching([*found, alone]) == (found[:2], {NOT_FOUND: 1, NOTHING_ELSE: 1})

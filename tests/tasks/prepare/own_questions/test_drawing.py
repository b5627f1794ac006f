"""Protects the draw: evenly over sources and titles, the same each time, and a larger one goes on from it."""

from collections import Counter

from tasks.prepare.own_questions.drawing import draw_documents
from tests.tasks.rows.made import document

DOCUMENTS = [
    *(document(f"manual {n}", title=f"chapter {n % 3}", source="manual") for n in range(30)),
    *(document(f"faq {n}", title=f"faq {n}", source="faq") for n in range(4)),
]


def test_each_source_and_each_title_has_its_part() -> None:
    drawn = draw_documents(DOCUMENTS, 8, seed=1)
    assert Counter(each.source for each in drawn) == {"manual": 4, "faq": 4}
    titles = Counter(each.title for each in drawn if each.source == "manual")
    assert sorted(titles.values()) == [1, 1, 2]


def test_what_a_source_lacks_the_others_give() -> None:
    assert Counter(each.source for each in draw_documents(DOCUMENTS, 20, seed=1)) == {"manual": 16, "faq": 4}
    assert len(draw_documents(DOCUMENTS, 99, seed=1)) == len(DOCUMENTS)
    assert draw_documents([], 5, seed=1) == []


def test_the_draw_follows_from_the_seed_and_grows() -> None:
    drawn = [each.id for each in draw_documents(DOCUMENTS, 12, seed=1)]
    assert [each.id for each in draw_documents(DOCUMENTS[::-1], 12, seed=1)] == drawn
    assert [each.id for each in draw_documents(DOCUMENTS, 5, seed=1)] == drawn[:5]
    assert [each.id for each in draw_documents(DOCUMENTS, 12, seed=2)] != drawn

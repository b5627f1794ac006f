"""Protects what is told of judged rows: the row that they were made of, and how often it taught."""

from tasks.rows.records import Learned, Preference
from tasks.training.counterfactuals import without_evidence
from tasks.training.traces import SAMPLED, sampled_name, traced
from tests.tasks.rows.made import pair, question


def told(lines: list[Learned]) -> list[tuple[str, str, str, int]]:
    return [(line.kind, line.id, line.form, line.times) for line in lines]


def test_a_row_that_was_not_learned_from_has_no_line() -> None:
    assert told(traced([(question("b"), 2), (question("c"), 0), (question("a"), 1)], kind="example")) == [
        ("example", "a", "itself", 1),
        ("example", "b", "itself", 2),
    ]


def test_a_twin_is_told_by_the_row_that_it_was_made_of() -> None:
    twin = without_evidence(question("a", evidence=("d",)))
    assert told(traced([(twin, 2)], kind="example", twins=True)) == [("example", "a", "counterfactual", 2)]
    # An id of the user's own may end like that of a twin.
    assert told(traced([(question(twin.id), 1)], kind="example")) == [("example", twin.id, "itself", 1)]


def test_pairs_of_sampled_answers_are_told_by_their_example() -> None:
    asked = question("faq.jsonl:7")

    def sampled(better: int, worse: int) -> Preference:
        return pair(sampled_name(asked, better, worse), source=SAMPLED)

    given = pair("samples:x:1>2")  # a name of the user's own
    lines = traced([(sampled(1, 2), 3), (sampled(3, 2), 3), (given, 1)], kind="preference")
    assert told(lines) == [
        ("example", "faq.jsonl:7", "sampled", 6),
        ("preference", "samples:x:1>2", "itself", 1),
    ]

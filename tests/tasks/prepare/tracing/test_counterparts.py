"""Protects who is named beside a lost row: read from what its stage wrote, whatever ids hold."""

import pytest

from tasks.prepare.decontamination.own_sets import DOCUMENT
from tasks.prepare.split.bridges import BRIDGE
from tasks.prepare.tracing.counterparts import counterparts, relation, stands_for
from tasks.rows.records import Dropped, RowKind

ODD = "faq.jsonl:one, two (of three), nearness"
OTHER = "faq.jsonl:other) and so"
KNOWN = {ODD, OTHER, "x"}


def lost(reason: str, detail: str, name: str = "lost", kind: RowKind = "example") -> Dropped:
    return Dropped(id=name, kind=kind, source="faq.jsonl", stage="clean", reason=reason, detail=detail)


@pytest.mark.parametrize(
    ("reason", "detail", "named", "said"),
    [
        ("duplicate", f"of {ODD}", (ODD,), "in its place stands"),
        ("near_duplicate", f"of {ODD}, nearness 0.83", (ODD,), "in its place stands"),
        ("near_duplicate", "of gone, nearness 1.00", (), "in its place stands"),
        ("conflict", f"with {ODD}, x", (ODD, "x"), "it contradicts"),
        ("conflict", f"in a circle with x, {ODD}", ("x", ODD), "it goes round in a circle with"),
        (BRIDGE, f"would join test (near {ODD}) and train (its prompt)", (ODD,), "it is near to"),
        (BRIDGE, f"would join test (near x) and train (near {OTHER})", ("x", OTHER), "it is near to"),
        (BRIDGE, f"would join test (near {ODD}) and train (its document)", (ODD,), "it is near to"),
        (DOCUMENT, f"{ODD} (own questions)", (ODD,), "it names a document of"),
        ("short", "1 character", (), ""),
    ],
)
def test_a_lost_row_names_its_counterparts(
    reason: str, detail: str, named: tuple[str, ...], said: str
) -> None:
    row = lost(reason, detail)
    assert counterparts(row, KNOWN) == named
    assert relation(row) == said


def test_copies_lead_back_from_the_row_in_their_place() -> None:
    gone = [
        lost("duplicate", f"of {ODD}", "a"),
        lost("near_duplicate", f"of {ODD}, nearness 0.61", "b"),
        lost("conflict", f"with {ODD}", "c"),
        lost("duplicate", "of x", "d"),
    ]
    assert stands_for((ODD,), gone) == ("a", "b")
    assert stands_for(("nobody",), gone) == ()

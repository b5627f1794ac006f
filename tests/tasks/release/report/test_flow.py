"""Protects the flow picture: bars and bands as large as their rows, and every row in it."""

import re
from collections import Counter
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from tasks.prepare.tracing.balance import Line
from tasks.release.report.flow import LONGEST, SOURCES, TALL, Flow, flows
from tasks.rows.records import RowKind


def line(source: str = "faq", kind: RowKind = "example", **given: int) -> Line:
    """A line of rows that met outcomes: `unread` and `unclean` were dropped, `trained` are of train."""
    unread, unclean, unused = (given.get(name, 0) for name in ("unread", "unclean", "unused"))
    placed = {name: given.get(name, 0) for name in ("quarantined", "train", "validation", "test", "searched")}
    outcomes = Counter(dropped=unread + unclean, unused=unused, **placed)
    trained = given.get("trained")
    reasons = {("collect", "r"): unread, ("clean", "r"): unclean, ("split", "r"): unused}
    if trained is not None:
        reasons["sft", "r"] = given.get("train", 0) - trained
    return Line(
        source=source,
        kind=kind,
        collected=outcomes.total(),
        outcomes=outcomes,
        reasons=reasons,
        trained=trained,
        tokens=None if trained is None else 3 * trained,
    )


def counts(picture: Flow) -> dict[str, int]:
    return {node.name: node.count for node in picture.nodes}


def test_every_row_is_in_the_picture() -> None:
    (picture,) = flows(
        [line(unread=2, unclean=3, quarantined=4, unused=1, train=60, validation=10, test=20, trained=25)]
    )
    assert counts(picture) == {
        "faq": 100,
        "read": 98,
        "not taken in": 2,
        "clean": 95,
        "dropped": 3,
        "valid": 91,
        "quarantined": 4,
        "train": 60,
        "validation": 10,
        "test": 20,
        "unused": 1,
        "trained on": 25,
        "not drawn": 35,
    }
    assert next(node.note for node in picture.nodes if node.name == "trained on") == "75 tokens"
    assert "100 examples were collected" in picture.sentence
    assert "not drawn 35" in picture.sentence
    assert {node.name for node in picture.nodes if node.lost} == {
        "not taken in",
        "dropped",
        "quarantined",
        "unused",
        "not drawn",
    }


AMOUNT = st.integers(min_value=0, max_value=10_000)


@given(
    lines=st.lists(
        st.builds(
            lambda number, **given: line(f"s{number}", **given),
            st.integers(),
            unread=AMOUNT,
            unclean=AMOUNT,
            train=AMOUNT,
            test=AMOUNT,
        ),
        min_size=1,
        max_size=9,
        unique_by=lambda each: each.source,
    )
)
def test_bars_are_as_high_as_their_rows_and_never_lie_on_each_other(lines: list[Line]) -> None:
    for picture in flows(lines):
        whole = sum(each.collected for each in lines)
        columns: dict[float, list[tuple[float, float, int]]] = {}
        for node in picture.nodes:
            assert node.height >= 0.9 * TALL * node.count / whole
            columns.setdefault(node.x, []).append((node.y, node.height, node.count))
        assert sum(count for _, _, count in columns[0.0]) == whole
        for bars in columns.values():
            for (y, height, _), (below, _, _) in pairwise(bars):
                assert below > y + height
        assert picture.height > max(node.y + node.height for node in picture.nodes)


def test_a_single_row_of_many_can_be_seen() -> None:
    (picture,) = flows([line(train=1_000_000, unclean=1)])
    assert next(node.height for node in picture.nodes if node.name == "dropped") >= 1.5
    assert all(re.fullmatch(r"M[\d. CvZz-]+", band.path) for band in picture.bands)


def test_many_sources_share_a_band_and_long_names_are_cut() -> None:
    lines = [line(f"sources/{'x' * 40}{number}", train=number + 1) for number in range(9)]
    (picture,) = flows(lines)
    named = [node.name for node in picture.nodes if node.x == 0.0]
    assert len(named) == SOURCES
    assert max(map(len, named)) <= LONGEST
    assert "4 other sources" in named


def test_kinds_without_rows_have_no_picture() -> None:
    found = flows([line(train=3), line("manual", "document", searched=5), line("written", trained=4)])
    assert [picture.kind for picture in found] == ["example", "document"]
    assert counts(found[1])["searched"] == 5

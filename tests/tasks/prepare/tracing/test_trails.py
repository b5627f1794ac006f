"""Protects the answer to why: of every row that went no further its stage, reason, text and heirs."""

from pathlib import Path

import pytest

from tasks.prepare.tracing.stored import read_stored
from tasks.prepare.tracing.trails import Trail, trails
from tasks.rows.identity import hidden
from tasks.rows.records import Example
from tests.tasks.prepare.tracing.chain import FAQ, OWN, PAIRS, SETTINGS

pytestmark = pytest.mark.filterwarnings(r"ignore:module 'sre_\w+' is deprecated:DeprecationWarning")


def why(root: Path, name: str) -> list[Trail]:
    return trails(root, read_stored(root / "data"), name, SETTINGS.clean)


def one(root: Path, name: str, source: str = FAQ) -> Trail:
    (found,) = why(root, f"{(root / source).as_posix()}:{name}")
    return found


def steps(trail: Trail) -> list[tuple[str, str, str]]:
    return [(event.stage, event.outcome, event.reason) for event in trail.events]


def answers(trail: Trail) -> list[tuple[str, str]]:
    """The states and the answers of a row's versions."""
    return [(each.state, each.row.answer) for each in trail.versions if isinstance(each.row, Example)]


def test_every_row_that_went_no_further_can_be_looked_up(ran: Path) -> None:
    stored = read_stored(ran / "data")
    lost = list(stored.lost_rows())
    assert len(lost) > 10
    for row in lost:
        (found,) = [each for each in why(ran, row.id) if each.kind == row.kind]
        assert (row.stage, row.reason) in [(event.stage, event.reason) for event in found.events]
        assert found.source == row.source
        assert found.versions or found.lines


def test_a_repetition_names_the_row_that_stands_in_its_place(ran: Path) -> None:
    found = one(ran, "twice")
    assert steps(found) == [("collect", "read", ""), ("clean", "dropped it", "duplicate")]
    (heir,) = found.counterparts
    assert (heir.relation, heir.id) == ("in its place stands", f"{(ran / FAQ).as_posix()}:kept 3")
    assert heir.fate in {"in train", "in validation", "in test"}
    assert [row.id for row in heir.rows] == [heir.id]


def test_what_stands_in_the_place_of_others_names_them(ran: Path) -> None:
    path = (ran / FAQ).as_posix()
    assert one(ran, "kept 3").stands_for == (f"{path}:twice",)
    assert one(ran, "kept 2").stands_for == ()


def test_an_id_that_was_given_twice_shows_both_rows(ran: Path) -> None:
    found = one(ran, "kept 4")
    assert len(answers(found)) == 2
    assert ("clean", "dropped it", "duplicate_id") in steps(found)
    assert any(stage == "split" for stage, _, _ in steps(found))


def test_contradictions_are_named_whatever_their_ids_hold(ran: Path) -> None:
    path = (ran / FAQ).as_posix()
    assert [(c.relation, c.id, c.fate) for c in one(ran, "three").counterparts] == [
        ("it contradicts", f"{path}:one, two", "went no further itself: clean, conflict")
    ]
    assert [c.id for c in one(ran, "one, two").counterparts] == [f"{path}:three"]


def test_a_repair_shows_the_text_before_and_after(ran: Path) -> None:
    found = one(ran, "mended")
    assert steps(found)[1] == ("clean", "repaired", "controls, encoding")
    others = SETTINGS.clean.model_copy(update={"steps": [s for s in SETTINGS.clean.steps if s != "repairs"]})
    (unmended,) = trails(ran, read_stored(ran / "data"), found.id, others)
    assert "repaired" not in [outcome for _, outcome, _ in steps(unmended)], "no step has done it"
    assert steps(found)[2][0] == "split"
    texts = [each.row.messages[0].content for each in found.versions if isinstance(each.row, Example)]
    assert texts == ["Is it a caf\u00c3\u00a9 ?\u200b", "Is it a caf\u00e9 ?"]


def test_a_row_whose_id_told_of_somebody_is_found_by_both_names(ran: Path) -> None:
    name = f"{(ran / FAQ).as_posix()}:ben.brandt@nordhafen.example"
    before, after = why(ran, name), why(ran, hidden(name))
    assert before == after
    assert steps(before[0])[1] == ("clean", "redacted", "email")
    assert steps(before[0])[2][0] == "split"


def test_personal_data_that_went_are_told(ran: Path) -> None:
    found = one(ran, "private")
    assert steps(found)[1] == ("clean", "redacted", "email")
    assert [each.state for each in found.versions] == ["collected", "redacted"]
    texts = [each.row.messages[0].content for each in found.versions if isinstance(each.row, Example)]
    assert texts == ["Who is anna.adler@nordhafen.example?", "Who is [email]?"]


def test_a_row_that_was_held_back_shows_what_was_judged(ran: Path) -> None:
    found = one(ran, "wordy")
    assert ("validate", "held it back", "answer_length") in steps(found)
    assert found.judged is not None
    assert (found.judged["answer_words"], found.judged["roles"], found.judged["spoken"]) == (7, "ua", True)


def test_a_row_near_to_a_test_set_names_its_question(ran: Path) -> None:
    found = one(ran, "near")
    assert steps(found)[-1] == ("split", "left it out", "the same as a held-out question")
    (held,) = found.counterparts
    assert (held.id, held.fate) == (f"{(ran / OWN).as_posix()}:own", "in test")


def test_a_line_that_could_not_be_read_is_shown_from_its_source(ran: Path) -> None:
    stored = read_stored(ran / "data")
    found = {
        row.reason: why(ran, row.id)[0] for row in stored.lost["collect"] if row.source.endswith("faq.jsonl")
    }
    assert found["broken_json"].lines == ('{"prompt": "cut',)
    assert '"no": "text"' in found["wrong_shape"].lines[0]
    assert found["broken_json"].versions == ()


def test_kinds_that_share_an_id_are_told_apart_and_unknown_ones_are_not_there(ran: Path) -> None:
    assert why(ran, "nobody") == []
    assert one(ran, "2", PAIRS).kind == "preference"


def test_a_document_is_searched_or_says_what_stands_in_its_place(ran: Path) -> None:
    stored = read_stored(ran / "data")
    assert stored.clean is not None
    (kept,) = (row.id for row in stored.clean if row.kind == "document")
    assert steps(why(ran, kept)[0])[-1] == ("validate", "passed: it is searched", "")
    (twice,) = (row.id for row in stored.lost["clean"] if row.kind == "document")
    (heir,) = why(ran, twice)[0].counterparts
    assert (heir.id, heir.fate) == (kept, "searched")


@pytest.mark.parametrize("change", ["gone", "shorter"])
def test_a_source_that_has_changed_since_is_said(ran: Path, tmp_path: Path, change: str) -> None:
    from tasks.prepare.tracing.lines import line_of
    from tasks.rows.records import Dropped

    row = Dropped(
        id="x",
        kind="example",
        source="a.jsonl",
        stage="collect",
        reason="broken_json",
        detail="line 3: column 1",
    )
    if change == "shorter":
        (tmp_path / "a.jsonl").write_text("{}\n")
    said = line_of(tmp_path, row)
    assert said.endswith({"gone": "is not there any more", "shorter": "has no line 3 any more"}[change])

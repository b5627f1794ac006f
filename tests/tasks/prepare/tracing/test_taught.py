"""Protects the account from train to the last token: rows and tokens by source, and why not the others."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from tasks.prepare.tracing.balance import Balance, balance, tokens_fault, total
from tasks.prepare.tracing.stored import Stored, read_stored
from tasks.prepare.tracing.trails import trails
from tasks.rows.learned import learned_in, write_learned
from tasks.rows.records import BY_MODEL, Learned
from tests.tasks.prepare.tracing.chain import FAQ, SETTINGS

pytestmark = pytest.mark.filterwarnings(r"ignore:module 'sre_\w+' is deprecated:DeprecationWarning")


def learned(name: str, source: str = "faq", **given: object) -> Learned:
    """What was learned from a row; without times nothing."""
    plain: dict[str, object] = {"kind": "example", "form": "itself", "times": 2, "tokens": 7, "reason": ""}
    return Learned(id=name, source=source, **{**plain, **given})  # type: ignore[arg-type]


def taught(stored: Stored) -> list[Learned]:
    """Every second example of train as learned from, the others as over the limit."""
    rows = [row for row in (stored.splits or {})["train"] if row.kind == "example"]
    return [
        learned(row.id, row.source)
        if place % 2
        else learned(row.id, row.source, times=0, tokens=0, reason="over sft.max_rows")
        for place, row in enumerate(rows)
    ]


def balanced(stored: Stored, lines: Sequence[Learned]) -> Balance:
    return balance(replace(stored, learned={"sft": tuple(lines)}), {(Path("x") / "y").as_posix(): {}})


@pytest.fixture
def stored(ran: Path) -> Stored:
    return read_stored(ran / "data")


def test_rows_and_tokens_add_up_for_each_source(stored: Stored) -> None:
    lines = taught(stored)
    lines.append(replace(lines[1], form="companion", times=1, tokens=4))  # no second row: one more form
    found = balanced(stored, lines)
    assert found.faults == ()
    whole = total(found.lines, "example")
    assert whole.trained == sum(line.times > 0 for line in lines) - 1
    assert whole.tokens == sum(line.tokens for line in lines)
    for line in (line for line in found.lines if line.kind == "example"):
        why = sum(count for (stage, _), count in line.reasons.items() if stage == "sft")
        assert line.outcomes["train"] == (line.trained or 0) + why
    assert tokens_fault(found, whole.tokens) == ()


def test_a_row_or_a_source_that_sft_does_not_account_for_is_noticed(stored: Stored) -> None:
    lines = taught(stored)
    (said,) = balanced(stored, lines[1:]).faults
    assert f"train has {len(lines)} examples, and sft accounts for {len(lines) - 1}" in said
    other = replace(lines[0], source="another")
    assert len(balanced(stored, [*lines[1:], other]).faults) == 2
    (said,) = tokens_fault(balanced(stored, lines), 1)
    assert "sft reports 1" in said


def test_what_the_model_wrote_itself_has_a_line_and_is_no_fault(stored: Stored) -> None:
    found = balanced(stored, [*taught(stored), learned("written-0", BY_MODEL, form="general")])
    assert found.faults == ()
    (line,) = [line for line in found.lines if line.source == BY_MODEL]
    assert (line.collected, line.trained, line.tokens) == (0, 1, 7)


def test_before_fine_tuning_nothing_is_said_of_it(stored: Stored, tmp_path: Path) -> None:
    assert learned_in(tmp_path) is None
    found = balance(stored, {})
    assert {(line.trained, line.tokens) for line in found.lines} == {(None, None)}
    assert tokens_fault(found, 5) == ()


def test_text_learned_from_documents_says_nothing_of_examples(stored: Stored) -> None:
    found = balanced(stored, [learned("a", "markdown", kind="document", form="text")])
    assert found.faults == ()
    assert total(found.lines, "document").trained == 1
    assert total(found.lines, "example").trained is None


def test_a_row_says_whether_it_was_learned_from_and_by_how_many_tokens(ran: Path, stored: Stored) -> None:
    lines = taught(stored)
    lines.append(replace(lines[1], form="companion", times=1, tokens=4))
    whole = replace(stored, learned={"sft": tuple(lines)})

    def last(name: str) -> tuple[str, str, str]:
        (found,) = trails(ran, whole, name, SETTINGS.clean)
        return found.events[-1].stage, found.events[-1].outcome, found.events[-1].reason

    assert last(lines[0].id) == ("sft", "did not learn from it", "over sft.max_rows")
    assert last(lines[1].id) == (
        "sft",
        "learned from it",
        "as it is, 2 times, 7 tokens; over the sources of others, 1 time, 4 tokens",
    )


def test_the_table_beside_the_adapter_is_read(ran: Path, tmp_path: Path) -> None:
    lines = taught(read_stored(ran / "data"))
    write_learned(tmp_path, lines)
    assert learned_in(tmp_path) == tuple(lines)
    assert FAQ.rpartition("/")[2] in lines[0].source

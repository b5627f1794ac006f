"""Protects the accounting: lost rows are noticed, within a stage and between stages."""

from tasks.rows.accounting import accounting_markdown, row_accounting
from tasks.rows.reports import Report
from tests.tasks.rows.made import counted

COLLECT = Report(stage="collect", rows=counted(entered=10, kept=9) + counted(dropped=1, reason="unreadable"))
CLEAN = Report(stage="clean", rows=counted(entered=9, kept=7) + counted(dropped=2, reason="duplicate"))
VALIDATE = Report(stage="validate", rows=counted(entered=7, kept=6, quarantined=1))
SPLIT = Report(stage="split", rows=counted(entered=7, kept=6, quarantined=1))
SFT = Report(
    stage="sft", rows=counted(entered=4, unused=1, trained=3, truncated=1), figures={"answer_tokens": 1234}
)


def test_rows_are_followed_to_the_last_trained_token() -> None:
    accounting = row_accounting([SFT, SPLIT, VALIDATE, CLEAN, COLLECT])
    assert accounting.faults == ()
    assert [line.stage for line in accounting.lines] == ["collect", "clean", "validate", "split", "sft"]
    last = accounting.lines[-1]
    assert last.counts == {"in": 4, "unused": 1, "trained": 3, "truncated": 1}
    assert last.tokens == 1234
    assert accounting.lines[1].reasons == {"duplicate": 2}


def test_a_sum_that_does_not_add_up_is_told() -> None:
    accounting = row_accounting([Report(stage="clean", rows=counted(entered=9, kept=7))])
    assert accounting.faults == ("clean: example: 9 rows came in, 7 are accounted for",)
    assert "do not add up" in accounting_markdown(accounting)


def test_rows_that_vanish_between_two_stages_are_told() -> None:
    accounting = row_accounting([COLLECT, Report(stage="clean", rows=counted(entered=8, kept=8))])
    assert accounting.faults == ("collect kept 9 examples, but 8 entered clean",)


def test_a_quarantine_that_split_ignores_is_told() -> None:
    accounting = row_accounting([CLEAN, VALIDATE, Report(stage="split", rows=counted(entered=7, kept=7))])
    assert accounting.faults == ("validate put 1 examples into quarantine, but split left out 0",)


def test_markdown_shows_each_line_with_its_reasons() -> None:
    text = accounting_markdown(row_accounting([COLLECT, CLEAN, VALIDATE, SPLIT, SFT]))
    assert "| clean | example | 9 | 7 |  | 2 |  |  |  |  |" in text
    assert "| sft | example | 4 |  | 3 |  |  | 1 | 1 | 1,234 |" in text
    assert "- collect, example: unreadable 1" in text
    assert "Every row is accounted for" in text

"""Protects the measure of personal details: planted numbers are valid, what goes or is touched is counted."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.data import personal, personal_recall, speed_page
from tasks.prepare.clean.verdict import Verdict, drop
from tasks.rows.records import Rows
from tasks.settings import load_settings

pytestmark = pytest.mark.filterwarnings(r"ignore:module 'sre_\w+' is deprecated:DeprecationWarning")


def test_planted_numbers_are_valid_and_those_that_look_like_them_are_not() -> None:
    def luhn(number: str) -> bool:
        digits = [
            int(sign) * (1 + place % 2)
            for place, sign in enumerate(reversed("".join(filter(str.isdigit, number))))
        ]
        return sum(digit - 9 if digit > 9 else digit for digit in digits) % 10 == 0

    draw = np.random.default_rng(0)
    for _ in range(50):
        assert luhn(personal.card(draw))
        assert not luhn(personal.card(draw, valid=False))
        account = personal.iban(draw).replace(" ", "")
        assert int("".join(str(int(sign, 36)) for sign in account[4:] + account[:4])) % 97 == 1


def test_what_is_gone_and_what_is_touched_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    def all_with_at_gone(rows: Rows, settings: Any) -> Verdict:
        passed = [row for row in rows.examples if "@" not in row.prompt[-1].content + row.answer]
        rest = [drop(row, "at") for row in rows.examples if row not in passed]
        return Verdict(rows=Rows.of(passed), dropped=tuple(rest))

    monkeypatch.setattr(personal_recall, "clean_rows", all_with_at_gone)
    told = personal_recall.measured(200, load_settings(Path("params.yaml")).clean)
    assert told["kinds"]["e-mail"] == {"planted": 20, "found": 20}
    assert told["kinds"]["IBAN"] == {"planted": 20, "found": 0}
    assert 0 < told["clean"]["touched"] < told["clean"]["texts"] == 80
    assert told["reasons"] == {"at": 20 + told["clean"]["touched"]}
    assert "| e-mail | 20 | 20 | 1.000 |" in speed_page.personal(told)

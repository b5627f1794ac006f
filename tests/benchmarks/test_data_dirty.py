"""Protects the benchmark of a dirty file: what counts as found, lost and told, by line and on the page."""

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from benchmarks.data import __main__ as data
from benchmarks.data import page
from benchmarks.data.dirty import added, through_stages
from benchmarks.data.fates import Fate, Text
from benchmarks.data.made import records
from benchmarks.data.scoring import remains, scored
from benchmarks.data.truth import DIRTY, TRUTH, Line

pytestmark = pytest.mark.filterwarnings(r"ignore:module 'sre_\w+' is deprecated:DeprecationWarning")
ASKED: Text = ("How do I sort a list?", "Use `sorted`.")


def line(number: int, fault: str = "none", action: str = "keep", **told: Any) -> Line:
    plain = Line(
        number=number,
        id=f"r{number}",
        fault=fault,
        kind="some",
        action=action,
        group="",
        of="",
        lookalike="",
        values=(),
        original=None,
        given=ASKED,
    )
    return replace(plain, **told)


def kept(text: Text = ASKED, split: str = "train") -> list[Fate]:
    return [Fate(split=split, text=text)]


def gone(reason: str = "any", stage: str = "clean") -> list[Fate]:
    return [Fate(stage=stage, reason=reason)]


def found(one: Line, fate: list[Fate]) -> int:
    counts: dict[str, dict[str, int]] = scored([one], {one.number: fate})["faults"][one.fault]
    return counts["some"]["found"]


def test_each_action_is_right_for_its_fault_alone() -> None:
    broken = line(1, "broken_json", "drop", given=None)
    assert found(broken, gone("whatever it is called")) == 1
    assert found(broken, kept()) == 0
    spoilt = line(1, "mojibake", "repair", original=("caf\u00e9 (x)", "a\n    b"), given=("cafe", "b"))
    assert found(spoilt, kept(("caf\u00e9 (x) ", "a  \n    b\n"))) == 1
    assert found(spoilt, kept(("caf\u00e9 (x)", "a\nb"))) == 0, "the indentation of code is lost"
    assert found(spoilt, gone()) == 0, "a row that can be repaired should stay"
    private = line(1, "pii", "redact", values=("+44 20 7946 0123",))
    assert found(private, kept(("Ring me on [phone].", "Yes."))) == 1
    assert found(private, kept(("Ring me on +44 20 7946 0123.", "Yes."))) == 0
    assert found(private, gone()) == 1


@pytest.mark.parametrize(
    "left", ["anna.berg@mail.example", "ANNA.BERG@m***", "***@mail.example", "anna berg mail"]
)
def test_half_of_a_value_is_still_the_value(left: str) -> None:
    assert remains("anna.berg@mail.example", ("q", f"Ask {left} now."))
    assert not remains("anna.berg@mail.example", ("q", "Ask <email> now."))


def test_of_a_row_and_its_copies_one_may_stay_whichever() -> None:
    first = line(1, group="g")
    copy = line(2, "near_duplicate", "drop", group="g", of="r1")
    told = scored([first, copy], {1: gone(), 2: kept()})
    assert told["faults"]["near_duplicate"]["some"]["found"] == 1
    assert told["clean"]["plain"]["lost"] == 0
    assert scored([first, copy], {1: kept(), 2: kept()})["faults"]["near_duplicate"]["some"]["found"] == 0
    assert scored([first, copy], {1: gone(), 2: gone()})["clean"]["plain"]["lost"] == 1


def test_copies_on_two_sides_of_the_split_are_told() -> None:
    lines = [line(1, group="g"), *(line(n, "near_duplicate", "drop", group="g", of="r1") for n in (2, 3, 4))]
    told = scored(lines, {1: kept(), 2: kept(split="test"), 3: kept(), 4: gone()})
    assert told["pairs"]["near_duplicate"] == {"planted": 3, "left": 2, "apart": 1}
    became = {
        name: count for name, count in told["faults"]["near_duplicate"]["some"].items() if name[0] == ">"
    }
    assert became == {"> kept on another side of the split": 1, "> kept on the same side": 1, "> any": 1}


def test_clean_rows_that_are_lost_or_altered_are_told_by_what_they_look_like() -> None:
    lines = [line(1), line(2, lookalike="tabs"), line(3, lookalike="tabs"), line(4, lookalike="tabs")]
    fates = {
        1: gone("conflict"),
        2: kept(),
        3: kept((ASKED[0], "other")),
        4: kept((ASKED[0] + "\n", ASKED[1])),
    }
    told = scored(lines, fates)
    assert told["clean"]["plain"] == {"rows": 1, "lost": 1, "altered": 0, "> conflict": 1}
    assert told["clean"]["tabs"] == {"rows": 3, "lost": 0, "altered": 1, "> kept, changed": 1}
    assert told["reasons"] == {"conflict": {"none": 1}}


def test_lines_without_a_fate_or_with_two_are_told() -> None:
    told = scored([line(1), line(2), line(3)], {1: kept(), 2: [*gone("a"), *gone("b")]})["lines"]
    assert told == {"lines": 3, "collected": 2, "without": 1, "twice": 1, "train": 1}


def test_counts_are_added_however_deep_they_stand() -> None:
    assert added([{"a": {"b": 1}, "c": 2}, {"a": {"b": 3, "d": 1}}]) == {"a": {"b": 4, "d": 1}, "c": 2}


def test_a_dirty_file_goes_through_the_stages_and_each_line_is_scored(tmp_path: Path) -> None:
    plain = [record.example() for record in records(90, seed=3) if record.kind == "plain"]
    rows = [(row.prompt[-1].content, row.answer) for row in plain[:61]]
    questions = ["Which river runs through the old town of Bern in Switzerland?", "Who wrote the book?"]
    other = rows.pop()
    spoilt = (other[0], f"{other[1]} \x1b[1mnow\x1b[0m")
    lines = [
        *({"record": text, "fault": "none", "action": "keep"} for text in rows),
        {"record": rows[0], "fault": "exact_duplicate", "action": "drop", "group": "g", "of": "r1"},
        {
            "record": spoilt,
            "fault": "control_chars",
            "action": "repair",
            "original": (other[0], f"{other[1]} now"),
        },
        {"record": (questions[0], "The Aare."), "fault": "leakage", "action": "drop"},
        {"raw": b'{"prompt": "cut o', "fault": "broken_json", "action": "drop"},
    ]
    lines[0] |= {"group": "g"}
    raw, truth = [], []
    for number, told in enumerate(lines, start=1):
        text = told.get("record", ("", ""))
        record = {"id": f"r{number}", "prompt": text[0], "response": text[1]}
        raw.append(told.get("raw") or json.dumps(record).encode())
        original = (
            dict(zip(("prompt", "response"), told["original"], strict=True)) if "original" in told else None
        )
        known = {key: told[key] for key in ("fault", "action", "group", "of") if key in told}
        truth.append(
            json.dumps({"line": number, "id": f"r{number}", "kind": "some", "original": original} | known)
        )
    (tmp_path / DIRTY).write_bytes(b"\n".join(raw) + b"\n")
    (tmp_path / TRUTH).write_text("\n".join(truth) + "\n")
    evaluation = tmp_path / "evaluation.jsonl"
    twice = [
        {"question": question, "answers": answers}
        for question in questions
        for answers in (["The Aare."], ["A river."])
    ]
    evaluation.write_text("\n".join(map(json.dumps, twice)) + "\n")
    told = through_stages(tmp_path, evaluation)
    scores = {fault: some["some"]["found"] for fault, some in told["faults"].items()}
    leaked = told["faults"]["leakage"]["some"]
    assert (leaked["found"], leaked["trained"]) == (leaked["planted"], 0), "it may stand in the test"
    assert scores | {"leakage": 1} == dict.fromkeys(scores, 1)
    assert len(scores) == 4
    assert told["clean"]["plain"] == {"rows": 60, "lost": 0, "altered": 0}
    assert told["lines"]["lines"] == 64
    assert told["lines"]["dropped by collect"] == 1
    assert (told["lines"]["without"], told["lines"]["twice"], told["unbalanced"]) == (0, 0, 0)
    assert "| broken json | 1 | 1 | 1.000 | 0 | broken_json 1 |" in page.tables(told, kinds=False)


def test_without_the_script_nothing_is_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["data", "dirty", "--script", str(tmp_path / "none.py")])
    assert data.main() == 0
    said, last = capsys.readouterr().out.splitlines()
    assert "none.py is not there" in said
    assert last == "{}"


def test_what_was_told_becomes_the_page_and_a_lost_line_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    told = scored([line(1), line(2, "broken_json", "drop")], {2: gone("broken", "collect")}) | {
        "unbalanced": 0
    }
    log = tmp_path / "log"
    log.write_text(f"before\n{json.dumps(told)}\n")
    target = tmp_path / "page.md"
    target.write_text("head\n<!-- dirty -->\nold\n<!-- /dirty -->\ntail\n")
    monkeypatch.setattr(data, "PAGE", target)
    monkeypatch.setattr(sys, "argv", ["data", "dirty", "--told", str(log), "--write"])
    assert data.main() == 1
    written = target.read_text(encoding="utf-8")
    assert "| broken json | 1 | 1 | 1.000 | 0 | broken 1 |" in written
    assert "1 went without a reason" in written
    assert "old\n" not in written
    assert json.loads(capsys.readouterr().out.splitlines()[-1]) == told

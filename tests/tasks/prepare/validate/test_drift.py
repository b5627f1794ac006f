"""Protects the comparison with the rows accepted last: real changes are found, chance raises no alarm."""

import random
from collections.abc import Callable, Iterable
from dataclasses import replace

import pytest

from deploy.messages import Message
from tasks.prepare.validate.drift import FIRST, Comparison, Shift, compare
from tasks.prepare.validate.profile import Profile, profile
from tasks.prepare.validate.tables import InMemory
from tasks.rows.records import Example, Rows
from tests.tasks.prepare.validate.made import DRIFT
from tests.tasks.rows.made import document, pair, question, rows

WORDS = [f"word{n}" for n in range(300)]


def drawn(draw: random.Random, groups: int, *, of: int = 6) -> list[Example]:
    """Examples as sources have them: groups of alike rows, over five tasks and two sources."""
    made: list[Example] = []
    for _ in range(groups):
        task, source = draw.choice("abcde"), draw.choice(["one.jsonl", "two.jsonl", "two.jsonl"])
        topic, name = draw.sample(WORDS, 6), draw.random()
        for n in range(draw.randint(1, of)):
            asked = " ".join(draw.sample(topic, draw.randint(2, 6)))
            row = question(f"{name} {n}", asked, draw.choice(["yes", "no", "why"]), group=str(name))
            made.append(replace(row, task=task, source=source, answerable=draw.random() < 0.8))
    return made


def compared(then: Rows, now: Rows) -> Comparison:
    before, today = (profile(InMemory(given), made_with="") for given in (then, now))
    return compare(before, today, DRIFT)


def passed(comparison: Comparison) -> dict[str, Shift]:
    """The shifts that pass their bound, by name."""
    found = (shift for shifts in comparison.shifts.values() for shift in shifts)
    return {s.name: s for s in found if (s.value < s.bound if s.falls else s.value > s.bound)}


@pytest.mark.parametrize(("groups", "times"), [(20, 60), (60, 60), (200, 30)])
def test_rows_of_the_same_sources_raise_no_alarm(groups: int, times: int) -> None:
    draw = random.Random(groups)
    alarms = sum(
        bool(passed(compared(rows(*drawn(draw, groups)), rows(*drawn(draw, groups))))) for _ in range(times)
    )
    assert alarms <= times // 30  # under 2 % each; the bounds of params.yaml alone would ring in most


def test_the_customary_bounds_alone_would_raise_alarms() -> None:
    draw = random.Random(5)
    comparison = compared(rows(*drawn(draw, 30)), rows(*drawn(draw, 30)))
    loud = [
        shift for shift in comparison.shifts["example"] if not shift.falls and shift.value > DRIFT.warning
    ]
    assert loud
    assert all("chance alone makes up to" in shift.detail for shift in loud)


def test_one_run_resampled_by_group_raises_no_alarm() -> None:
    draw = random.Random(1)
    groups: dict[str, list[Example]] = {}
    for row in drawn(draw, 120):
        groups.setdefault(row.group, []).append(row)

    def again() -> Rows:
        taken = draw.choices(sorted(groups), k=len(groups))
        return rows(
            *(replace(row, group=f"{name} {n}") for n, name in enumerate(taken) for row in groups[name])
        )

    assert sum(bool(passed(compared(again(), again()))) for _ in range(50)) <= 1


def longer(row: Example) -> Example:
    return replace(row, messages=(Message("user", row.prompt[-1].content * 3), row.messages[-1]))


def foreign(row: Example) -> Example:
    return replace(row, messages=(Message("user", "Что это такое?"), row.messages[-1]))


def about_other_things(row: Example) -> Example:
    asked = " ".join(f"term{sum(map(ord, word)) % 50}" for word in row.prompt[-1].content.split())
    return replace(row, messages=(Message("user", asked), row.messages[-1]))


CHANGES: list[tuple[str, Callable[[Example], Example]]] = [
    ("source_drift", lambda row: replace(row, source="three.jsonl")),
    ("task_drift", lambda row: replace(row, task="f")),
    ("answerable_drift", lambda row: replace(row, answerable=False)),
    ("question_length_drift", longer),
    ("answer_length_drift", lambda row: replace(row, messages=(*row.prompt, Message("assistant", "x" * 80)))),
    ("answers_drift", lambda row: replace(row, messages=(*row.prompt, Message("assistant", "eh")))),
    ("writing_drift", foreign),
    ("words_drift", about_other_things),
]


@pytest.mark.parametrize(("name", "change"), CHANGES, ids=[name for name, _ in CHANGES])
def test_a_change_of_two_rows_in_five_is_critical(name: str, change: Callable[[Example], Example]) -> None:
    draw = random.Random(3)
    then, now = drawn(draw, 600), drawn(draw, 600)
    changed = [change(row) if hash(float(row.group)) % 5 < 2 else row for row in now]
    found = passed(compared(rows(*then), rows(*changed)))
    assert found[name].severity == "critical"


def series(runs: Iterable[list[Example]]) -> list[set[str]]:
    """What passes its bound in each of some runs, where the gate lets all of them pass."""
    told: list[set[str]] = []
    accepted: Profile | None = None
    for run in runs:
        now = profile(InMemory(rows(*run)), made_with="")
        comparison = compare(accepted, now, DRIFT)
        told.append(set(passed(comparison)))
        accepted = replace(now, first=comparison.first)
    return told


def test_ten_steps_of_three_percent_are_told() -> None:
    draw = random.Random(8)

    def changed(share: int) -> list[Example]:
        made = drawn(draw, 500)
        return [other(row) if hash(float(row.group)) % 100 < share else row for row in made]

    def other(row: Example) -> Example:
        answered = (*row.prompt, Message("assistant", "yes"))
        return about_other_things(replace(row, source="one.jsonl", messages=answered))

    told = series(changed(3 * step) for step in range(11))
    assert not any(name.endswith("_drift") for run in told for name in run), "no step is told by itself"
    assert told[:3] == [set(), set(), set()]
    assert told[-1] == {"source_creep", "answers_creep", "words_creep"}


def test_runs_that_stay_the_same_raise_no_alarm_however_many_there_are() -> None:
    draw = random.Random(9)
    told = series(drawn(draw, 100) for _ in range(40))
    assert sum(map(bool, told)) <= 1


def test_what_is_meant_is_the_first_of_what_comes_after() -> None:
    draw = random.Random(4)
    then, now = (profile(InMemory(rows(*drawn(draw, 60))), made_with="") for _ in range(2))
    other = [replace(row, source="else") for row in drawn(draw, 60)]
    moved = profile(InMemory(rows(*other)), made_with="")
    assert compare(replace(now, first=then.tables), now, DRIFT).first == then.tables
    named = DRIFT.model_copy(update={"accept": moved.fingerprint})
    assert compare(replace(now, first=then.tables), moved, named).first is None
    assert compare(replace(now, made_with="a"), moved, DRIFT).first is None
    few = profile(InMemory(rows(*other[:9])), made_with="")
    assert compare(few, moved, DRIFT).first == moved.tables, "nine rows are no measure"
    off = DRIFT.model_copy(update={"creep": None})
    found = compare(replace(moved, first=then.tables), moved, off).shifts["example"]
    assert not any(shift.name.endswith("_creep") for shift in found)


def test_preferences_and_documents_are_compared_as_well() -> None:
    then = rows(
        pairs=[pair(f"p{n}") for n in range(100)],
        documents=[document(f"d{n}", "text " * n) for n in range(100)],
    )
    now = rows(
        pairs=[pair(f"p{n}", label="human" if n % 2 else "synthetic") for n in range(100)],
        documents=[document(f"d{n}", "text " * n * 10, source="else") for n in range(100)],
    )
    assert passed(compared(then, now)).keys() >= {"label_drift", "text_length_drift", "source_drift"}
    assert passed(compared(then, then)) == {}


def test_half_of_the_rows_missing_is_critical_even_where_few_are_left() -> None:
    draw = random.Random(2)
    then = drawn(draw, 60)
    comparison = compared(rows(*then), rows(*then[:20]))
    assert [shift.name for shift in comparison.shifts["example"]] == ["rows_drift"]
    found = passed(comparison)["rows_drift"]
    assert (found.severity, found.detail) == ("critical", f"{len(then)} then, 20 now")
    assert "There are too few examples now to compare more than their number (20)." in comparison.told
    assert "rows_drift" in passed(compared(rows(*then), rows()))


def test_what_cannot_be_compared_is_told() -> None:
    one_group = rows(*(question(f"q{n}", group="g") for n in range(80)))
    some = rows(*(question(f"q{n}") for n in range(80)))
    assert compare(None, profile(InMemory(some), made_with=""), DRIFT).told == FIRST
    few = compared(rows(question("q")), some)
    assert "There were too few examples then to compare (1)." in few.told
    assert few.shifts == {}
    assert "The examples are of too few groups to tell change from chance." in compared(some, one_group).told
    assert compared(rows(), rows()).told == "Compared with the rows that the gate let pass last."

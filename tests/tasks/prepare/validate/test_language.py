"""Protects the comparison of languages: other shares are found, two halves of the same rows are alike."""

import random
from collections.abc import Callable
from dataclasses import replace

import pytest

from deploy.abstention import ABSTENTION
from deploy.messages import Message
from tasks.prepare.validate.drift import Shift, compare
from tasks.prepare.validate.language import languages
from tasks.prepare.validate.profile import profile
from tasks.prepare.validate.tables import InMemory
from tasks.rows.records import Example, Rows
from tests.tasks.prepare.validate.made import DRIFT
from tests.tasks.rows.made import document, pair, question, rows

ENGLISH = (
    "Which of these tickets has to be answered before the weekend begins?",
    "The customer would like to know when the parcel is going to arrive.",
)
GERMAN = (
    "Welche dieser Anfragen muss noch vor dem Wochenende beantwortet werden?",
    "Der Kunde m\u00f6chte wissen, wann das Paket bei ihm ankommen wird.",
)
ASKED = (Message("user", GERMAN[0]),)


def test_a_row_counts_for_the_languages_of_its_question_and_its_answer() -> None:
    given = [
        question("both", ENGLISH[0], ENGLISH[1]),
        question("mixed", ENGLISH[0], GERMAN[1]),
        question("short", GERMAN[0], "Ja."),
        question("unanswered", GERMAN[0], ABSTENTION),
        question("code", "ls -l", "`find . -name x`"),
        question("empty", messages=()),
        pair("pair", GERMAN[1], ENGLISH[1], prompt=ASKED),
        document("text", "\n".join(ENGLISH)),
        document("long", f"{ENGLISH[0]} " * 40 + f"{GERMAN[0]} " * 400),
    ]
    found = {row.id: cells for row, cells in zip(given, languages(given), strict=True)}
    assert found == {
        "both": {"en": 1.0},
        "mixed": {"de": 0.5, "en": 0.5},
        "short": {"de": 1.0},
        "unanswered": {"de": 1.0},
        "code": {"unknown": 1.0},
        "empty": {"unknown": 1.0},
        "pair": {"de": 1.0},
        "text": {"en": 1.0},
        "long": {"en": 1.0},  # its beginning tells
    }
    assert languages([]) == []


def written(count: int, german: float, *, seed: int = 0) -> list[Example]:
    """Examples in groups of up to four, of which some groups are in German."""
    draw = random.Random(seed)
    made: list[Example] = []
    while len(made) < count:
        group, said = str(draw.random()), GERMAN if draw.random() < german else ENGLISH
        for n in range(draw.randint(1, 4)):
            asked = f"{said[n % 2]} {said[draw.randrange(2)]}"
            made.append(question(f"{group} {n}", asked, said[draw.randrange(2)], group=group))
    return made


def drift(then: Rows, now: Rows) -> Shift:
    before, today = (profile(InMemory(given), made_with="") for given in (then, now))
    (found,) = (
        shift
        for shifts in compare(before, today, DRIFT).shifts.values()
        for shift in shifts
        if shift.name == "language_drift"
    )
    return found


@pytest.mark.parametrize(("german", "severity"), [(0.12, "warning"), (0.4, "critical")])
def test_another_share_of_a_language_is_found(german: float, severity: str) -> None:
    found = drift(rows(*written(2000, 0.02)), rows(*written(2000, german, seed=1)))
    assert found.value > found.bound
    assert (found.severity, found.key) == (severity, f"validate.drift.{severity}")
    assert "de" in found.detail


@pytest.mark.parametrize(
    "given",
    [
        lambda texts: rows(pairs=[pair(f"p{n}", each, "No.", prompt=ASKED) for n, each in enumerate(texts)]),
        lambda texts: rows(documents=[document(f"d{n}", each) for n, each in enumerate(texts)]),
    ],
    ids=["preferences", "documents"],
)
def test_so_it_is_in_preferences_and_documents(given: Callable[[list[str]], Rows]) -> None:
    found = drift(given([GERMAN[0]] * 200), given([GERMAN[0]] * 100 + [ENGLISH[0]] * 100))
    assert found.value > found.bound


def test_two_halves_of_the_same_rows_raise_no_alarm() -> None:
    alarms = 0
    for seed in range(20):
        given = written(600, 0.3, seed=seed)
        names = sorted({row.group for row in given})
        half = set(random.Random(seed).sample(names, len(names) // 2))
        parts = ([row for row in given if (row.group in half) == wanted] for wanted in (True, False))
        found = drift(*(rows(*part) for part in parts))
        alarms += found.value > found.bound
    assert alarms == 0


def test_what_was_not_described_before_is_compared_from_now_on() -> None:
    """As after an update of threeply: rows accepted first, and last, have no languages."""
    now, later = (profile(InMemory(rows(*written(400, share))), made_with="") for share in (0.02, 0.4))

    def without_languages(table: str) -> dict[str, object]:
        features = {name: each for name, each in now.tables[table].features.items() if name != "language"}
        return {table: replace(now.tables[table], features=features)}

    old = replace(now, tables={**now.tables, **without_languages("example")})
    found = compare(replace(old, first=old.tables), now, DRIFT)
    assert not any("language" in shift.name for shift in found.shifts["example"])
    assert found.first is not None
    creeping = compare(replace(now, first=found.first), later, DRIFT).shifts["example"]
    assert {"language_drift", "language_creep"} <= {s.name for s in creeping if s.value > s.bound}

"""How many names of people are found, by the form that letters and sentences have them in, and what else is.

The names are common ones of many countries, drawn at random, each given name with any surname: nobody's.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from benchmarks.data.personal import alike
from tasks.prepare.clean.personal import redact_personal
from tasks.prepare.clean_settings import CleanSettings, NameWay
from tasks.rows.records import Example, Rows

WAYS: Mapping[str, Sequence[NameWay]] = {
    "letters": ["letters"],
    "ner": ["ner"],
    "letters, ner": ["letters", "ner"],
}
COLUMN = "author"
_GIVEN = (
    "Anna", "Mateo", "Priya", "Kofi", "Yuki", "Lars", "Chiara", "Omar", "Zofia", "Hannah", "Diego",
    "Fatima", "Liam", "Ngozi", "Sven", "Amélie", "Tariq", "Ingrid", "Paulo", "Mei", "Oleg", "Sarah",
    "Bj\u00f6rn", "Aisha", "George", "Camille", "Rahul", "Elena", "Tom\u00e1s", "Grace",
)  # fmt: skip
_SURNAMES = (
    "Becker", "Fernandez", "Sharma", "Mensah", "Tanaka", "Nielsen", "Rossi", "Haddad", "Kowalska",
    "Clarke", "Morales", "Rahman", "Murphy", "Okafor", "Lindqvist", "Dubois", "Siddiqui", "Haugen",
    "Carvalho", "Zhang", "Ivanov", "Thompson", "J\u00f8rgensen", "Hussain", "Papadakis", "Laurent",
    "Gupta", "Popescu", "Nov\u00e1k", "O'Connor",
)  # fmt: skip
_FORMS: Mapping[str, Sequence[str]] = {
    "greeting": ("Dear {given},\nyour order is here. {text}", "Hi {given} {surname}!\n{text}"),
    "closing": ("{text}\nKind regards,\n{given} {surname}", "{text}\nThanks, {given}"),
    "title": ("Please ask Mr {surname} first. {text}", "The file is with Dr. {given} {surname} now. {text}"),
    "whole name": (
        "I spoke with {given} {surname} about it. {text}",
        "{given} {surname} has signed it. {text}",
    ),
    "given name": ("Can you tell {given} that it is done? {text}", "{given} told me so yesterday. {text}"),
    "surname": ("Has {surname} paid for it? {text}", "It was {surname} who said no. {text}"),
    "small letters": ("my name is {small} and i need help. {text}", "{text} ask {small} from accounting"),
    "in a column": ("{given} {surname} has signed it. {text}", "As {given} said before. {text}"),
}
_SAID = (
    "The invoice from last month was sent twice, and I only want to pay it once.",
    "After the update the app closes whenever I open the settings.",
    "We moved to a new office in Lisbon in March.", "Could you send the parcel again? It never came.",
    "The printer on the second floor is out of paper.",
    "I have tried to reset my password three times without any luck.", "Our contract ends in June.",
    "The meeting about the budget was moved to Thursday at ten.",
    "The bike has a flat tyre and a bent wheel.", "Everything else works as it did before.",
    "You can find the form on our website, under Downloads.",
    "The room for two nights costs 180 euros, breakfast included.",
    "Nobody has answered my last two mails.",
    "Please cancel the order, I have found what I was looking for.",
    "It is raining again in the north.",
)  # fmt: skip
_INNOCENT = (
    "The Pearson correlation is the default.", "Use the Fourier transform and a Gaussian kernel.",
    "It was released in April, on a Monday.", "Paris and Berlin have offices of Acme Systems.",
    "Set Verbose to True and Mode to Fast.", "Mark the box, then press Enter.",
    "The Python and Java clients differ.", "See Series.max and DataFrame.Groupby.",
    "Will it rain in May?", "Bayes, Newton and Kalman filters are there.",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Planted:
    """A row in which a name stands in a `form` (empty: none), and the words that have to go."""

    row: Example
    form: str
    words: tuple[str, ...]


def measured(count: int, settings: CleanSettings, *, seed: int = 0) -> dict[str, Any]:
    """By way of finding: of each form how many names were planted and are gone, and clean rows touched.

    Raises:
        SettingsError: the model that recognises names is not installed.
    """
    planted = _planted(count, seed)
    return {name: _found(planted, ways, settings) for name, ways in WAYS.items()}


def _found(planted: Sequence[Planted], ways: Sequence[NameWay], settings: CleanSettings) -> dict[str, Any]:
    personal = settings.personal.model_copy(
        update={"name": "redact", "names_from": [COLUMN], "names_by": list(ways)}
    )
    told = redact_personal(
        Rows.of(each.row for each in planted), settings.model_copy(update={"personal": personal})
    )
    forms: dict[str, Counter[str]] = {form: Counter(planted=0, found=0) for form in _FORMS}
    clean: Counter[str] = Counter(texts=0, touched=0)
    for each, row in zip(planted, told.rows.examples, strict=True):
        if each.form:
            said = f"{row.messages} {row.metadata}"
            forms[each.form].update(planted=1, found=not any(word in said for word in each.words))
        else:
            clean.update(texts=1, touched=row.messages != each.row.messages)
    return {"forms": {form: dict(counted) for form, counted in forms.items()}, "clean": dict(clean)}


def _planted(count: int, seed: int) -> list[Planted]:
    draw = np.random.default_rng([seed, 11])

    def pick(some: Sequence[str]) -> str:
        return some[int(draw.integers(len(some)))]

    forms = [*_FORMS, *[""] * (len(_FORMS) // 2)]
    made: list[Planted] = []
    for number in range(count):
        form, given, surname = forms[number % len(forms)], pick(_GIVEN), pick(_SURNAMES)
        text = " ".join(pick(_SAID) for _ in range(int(draw.integers(1, 5))))
        if form:
            shape = pick(_FORMS[form])
            names = {"given": given, "surname": surname, "small": f"{given} {surname}".lower()}
            said = shape.format(**names, text=text)
            words = tuple(
                word for key, name in names.items() if f"{{{key}}}" in shape for word in name.split()
            )
        else:
            said, words = f"{alike(draw) if draw.random() < 0.5 else pick(_INNOCENT)} {text}", ()
        row = Example.plain(
            f"r{number}", "What do they write?", said, source="made", task="chat", group=str(number)
        )
        metadata = {COLUMN: f"{given} {surname}"} if form == "in a column" else {}
        made.append(Planted(replace(row, metadata=metadata), form, words))
    return made

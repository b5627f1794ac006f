"""Protects people: names in columns, letters and running text go; names of things and code stay."""

from dataclasses import replace

import pytest

from deploy.errors import SettingsError
from tasks.prepare.clean.personal import redact_personal
from tasks.prepare.clean.personal.names import in_letters
from tasks.prepare.clean.personal.recognised import name_model
from tasks.rows.records import Example, Rows
from tests.tasks.prepare.cleaning import cleaning
from tests.tasks.rows.made import document, question, rows


def redacted(found: Rows, **personal: object) -> Rows:
    return redact_personal(found, cleaning(personal={"name": "redact", **personal})).rows


def written_by(name: str, answer: str) -> Example:
    return replace(question("one", "Who wrote it?", answer), metadata={"author": name, "year": "2031"})


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("Dear Anna,\nit is done.\nKind regards,\nMax van der Berg", ["Anna", "Max van der Berg"]),
        ("Sehr geehrte Frau Dr. Müller,\nes geht.\nViele Grüße\nJörg", ["Müller", "Jörg"]),
        ("Hi Zoë O'Connor! It works.", ["Zoë O'Connor"]),
        ("Please ask Mrs Adler's team, or Prof. J. Smith.", ["Adler", "J. Smith"]),
        ("Thanks, Priya", ["Priya"]),
        ("Dear all,\nDear Sir or Madam,\nHello World!\nThanks everyone\nBest wishes", []),
        ("Hi,\nThanks for the help\nHello there, Dear customer", []),
        ("Best of all is that\nThanks to the cache it is fast. Mr is short for mister.", []),
    ],
)
def test_letters_have_names_where_everybody_writes_them(text: str, names: list[str]) -> None:
    assert sorted({text[a:b] for a, b in in_letters(text)}) == sorted(names)


@pytest.mark.parametrize("text", ["Dear " + "Photographers " * 3 + "of", "Best" + " " * 5000 + "x"])
def test_a_long_greeting_is_looked_at_once(text: str) -> None:
    assert list(in_letters(text)) == []  # tried in all its parts it would take days


def test_the_name_in_a_column_goes_from_all_texts_of_its_row_and_of_no_other() -> None:
    asked = written_by("Anna-Lena van der Berg", "Anna-Lena did; BERG says so, and Bergen and anna stay.")
    other = question("two", "Who is Berg?", "Somebody.")
    one, two = redacted(rows(asked, other), names_from=["author"]).examples
    assert one.answer == "[name] did; BERG says so, and Bergen and anna stay."
    assert one.metadata == {"author": "[name]", "year": "2031"}
    assert two == other
    whole = redacted(rows(written_by("Bo Lee", "BO LEE, bo lee and Lee.")), names_from=["author"])
    assert whole.examples[0].answer == "[name], [name] and [name]."


def test_what_a_column_calls_a_name_is_one_unless_it_is_spared() -> None:
    left = redacted(rows(written_by("support", "Ask support.")), names_from=["author"], spared=["support"])
    assert left.examples[0].answer == "Ask support."
    assert (
        redacted(rows(written_by(" ", "It is.")), names_from=["author", "by"]).examples[0].answer == "It is."
    )


def test_names_are_looked_for_where_they_are_to_go_and_only_there() -> None:
    found = rows(question("one", "Why?", "Ask Mrs Adler."), documents=(document("d", "Mrs Adler."),))
    assert redact_personal(found, cleaning()).rows == found
    left = redacted(found, names_by=["letters"])
    assert (left.examples[0].answer, left.documents[0].text) == ("Ask Mrs [name].", "Mrs [name].")
    verdict = redact_personal(found, cleaning(personal={"name": "drop", "names_by": ["letters"]}))
    assert [(row.reason, row.detail) for row in verdict.dropped] == [("personal", "name")] * 2


@pytest.mark.parametrize(
    ("personal", "said"),
    [
        ({"name": "redact"}, "nothing says how names are known"),
        ({"names_by": ["ner"]}, "names_from and names_by find nothing"),
    ],
)
def test_settings_that_find_no_names_are_told(personal: dict[str, object], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        cleaning(personal=personal)


def test_without_the_model_it_is_said_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tasks.prepare.clean.personal.recognised.find_spec", lambda _: None)
    with pytest.raises(
        SettingsError, match=r"ner needs a model .* install it by make extras, or leave ner out"
    ):
        redacted(rows(question("one")), names_by=["ner"])


def test_the_model_finds_names_in_running_text_and_none_in_code() -> None:
    pytest.importorskip("onnxruntime", reason="installed by: make extras")
    find = name_model()
    long = "The printer on the second floor is out of paper. " * 40

    def names(text: str) -> list[str]:
        return [text[a:b] for a, b in find(text)]

    assert names("I spoke with Hannah O'Connor, and Tariq has signed it.") == ["Hannah O'Connor", "Tariq"]
    assert names(f"{long} Ask Priya Sharma about it. {long}") == ["Priya Sharma"]  # in a later window
    assert names("") == names("Call `Anna.Adler()` or Series.max, see ~/Anna/notes.") == []
    left = redacted(rows(question("one", "Who?", "Ask Hannah Clarke.")), names_by=["ner"])
    assert left.examples[0].answer == "Ask [name]."

"""Protects the choice of languages: what is surely foreign to its source goes, code and the unsure stay."""

from dataclasses import replace

import pytest

from deploy.abstention import ABSTENTION
from tasks.prepare.clean.language import drop_foreign
from tasks.rows.records import Rows
from tests.tasks.prepare.cleaning import cleaning
from tests.tasks.rows.made import document, pair, question, rows

ENGLISH = "Which of these commands shows the files of a folder with their sizes?"
ANSWER = "You can list them with this command, which also shows how large they are."
GERMAN = "Welchen Befehl muss ich verwenden, um alle Dateien mit ihrer Gr\u00f6\u00dfe anzuzeigen?"
GERMAN_ANSWER = (
    "Am einfachsten geht es mit dieser Zeile, danach siehst du alle Dateien:\nls -l --human-readable"
)
CHINESE = "\u7b2c\u4e00\u6b21\u4f7f\u7528 tar \u7684\u65f6\u5019\u8981\u6ce8\u610f\u4ec0\u4e48\uff1f"
RUSSIAN = "\u041a\u0430\u043a\u0443\u044e \u043a\u043e\u043c\u0430\u043d\u0434\u0443 \u043c\u043d\u0435 "
RUSSIAN += (
    "\u0434\u043b\u044f \u044d\u0442\u043e\u0433\u043e \u043d\u0443\u0436\u043d\u043e "
    "\u0438\u0441\u043f\u043e\u043b\u044c\u0437\u043e\u0432\u0430\u0442\u044c?"
)


def among(count: int = 40) -> Rows:
    """Rows of a source in English."""
    return rows(*(question(f"e{number}", f"{number}: {ENGLISH}", ANSWER) for number in range(count)))


def details(found: Rows, **language: object) -> dict[str, str]:
    dropped = drop_foreign(found, cleaning(language=language)).dropped
    assert {row.reason for row in dropped} <= {"language"}
    return {row.id: row.detail for row in dropped}


@pytest.mark.parametrize(
    ("asked", "answer", "language"),
    [
        (GERMAN, ANSWER, "de"),
        (ENGLISH, GERMAN_ANSWER, "de"),
        (GERMAN, GERMAN_ANSWER, "de"),
        (GERMAN.lower(), "`ls -l`", "de"),
        (CHINESE, "`tar -xf`", "zh"),
        (RUSSIAN, "ls -l", "ru"),
    ],
)
def test_a_question_or_an_answer_in_another_language_goes(asked: str, answer: str, language: str) -> None:
    found = Rows.of((*among().examples, question("odd", asked, answer)))
    [detail] = details(found).values()
    assert detail.split()[0] == language
    assert 0.6 <= float(detail.split()[1]) <= 1.0


@pytest.mark.parametrize(
    ("asked", "answer"),
    [
        ("Wie geht es?", "Gut."),  # short
        ("az: start a container", "az container start name resource group"),
        ("Which command?", "kubectl scale deployment replicas namespace default"),
        (
            "Which command?",
            "```\nzeige alle dateien des ordners an und sortiere sie nach der gr\u00f6\u00dfe\n```",
        ),
        ("The file starts with the words 'La vie est belle', how do I search for them?", ANSWER),
        (f"{ENGLISH}\n{GERMAN}\n{ENGLISH} {ANSWER}", ANSWER),  # most of it is English
        ("How do I say in German that I want to see all files?", GERMAN),
        ("Translate: which command must I use to see all files with their size?", GERMAN),
        (GERMAN, ABSTENTION),  # what is asked in another language has no answer
    ],
)
def test_short_texts_code_and_what_is_about_languages_stay(asked: str, answer: str) -> None:
    assert details(Rows.of((*among().examples, question("odd", asked, answer)))) == {}


def test_a_language_with_a_real_share_of_its_source_stays() -> None:
    german = [question(f"d{number}", f"{number}: {GERMAN}", GERMAN_ANSWER) for number in range(4)]
    assert details(Rows.of((*among().examples, *german))) == {}
    assert details(Rows.of((*among().examples, *german)), min_share=0.2).keys() == {"d0", "d1", "d2", "d3"}
    elsewhere = [replace(row, source="tickets") for row in german]  # all of another source
    assert details(Rows.of((*among().examples, *elsewhere)), min_share=0.2) == {}


def test_named_languages_stay_and_no_others() -> None:
    found = rows(question("de", GERMAN, GERMAN_ANSWER), question("en", ENGLISH, ANSWER))
    assert details(found, keep=["en"]).keys() == {"de"}
    assert details(found, keep=["de"]).keys() == {"en"}
    assert details(found, keep=["en", "de"]) == {}


def test_preferences_and_documents_are_judged_too() -> None:
    found = rows(
        *among().examples,
        pairs=(pair("good", ANSWER, ENGLISH), pair("bad", ANSWER, GERMAN)),
        documents=(document("en", f"{ANSWER}\n{ENGLISH}"), document("de", f"{GERMAN}\n\n{GERMAN_ANSWER}")),
    )
    assert details(found, keep=["en"]).keys() == {"bad", "de"}


def test_the_languages_of_texts_are_counted() -> None:
    found = rows(question("de", GERMAN, "`ls`"), question("en", ENGLISH, ANSWER))
    assert drop_foreign(found, cleaning()).counts == {"languages": {"de": 1, "en": 2, "unknown": 1}}

"""Protects rows: personal data go from all texts that belong together, quotes stand, spans are counted."""

from dataclasses import replace

import pytest

from deploy.abstention import ABSTENTION
from deploy.errors import SettingsError
from deploy.files import text_sha256
from deploy.messages import Message
from tasks.prepare.clean.personal import redact_personal
from tasks.rows.identity import hidden
from tasks.rows.records import Rows
from tests.tasks.prepare.cleaning import cleaning
from tests.tasks.rows.made import document, pair, question, rows

MAIL, CARD = "anna.adler@nordhafen.example", "4000 0000 0000 0002"
SOLID = "02079460123"  # a telephone number only beside a word that says so


def redacted(found: Rows, **personal: object) -> Rows:
    return redact_personal(found, cleaning(personal=personal)).rows


def test_every_text_of_a_row_is_redacted() -> None:
    asked = question("one", f"Who is {MAIL}?", f"{MAIL} is Anna.")
    asked = replace(asked, messages=(Message("system", f"Cc {MAIL}."), *asked.messages))
    judged = pair("pair", f"Ask {MAIL}.", f"Not {MAIL}.", prompt=(Message("user", f"Ask {MAIL}?"),))
    found = redacted(rows(asked, pairs=(judged,), documents=(document("d", f"It is {MAIL}.", title=MAIL),)))
    assert [turn.content for turn in found.examples[0].messages] == [
        "Cc [email].",
        "Who is [email]?",
        "[email] is Anna.",
    ]
    [judged] = found.preferences
    assert (judged.prompt[0].content, judged.chosen, judged.rejected) == (
        "Ask [email]?",
        "Ask [email].",
        "Not [email].",
    )
    [there] = found.documents
    assert (there.title, there.text, there.sha256) == (
        "[email]",
        "It is [email].",
        text_sha256("It is [email]."),
    )


def test_what_one_text_says_of_a_number_holds_in_what_belongs_to_it() -> None:
    found = redacted(
        rows(
            question("one", "Whom do I call?", f"Call {SOLID}.", evidence=("d",), quote=f"desk {SOLID}"),
            question("other", f"What is {SOLID}?", "A number of ours.", evidence=("d",)),
            question("apart", f"What is {SOLID}?", "A number."),
            documents=(document("d", f"The desk {SOLID} is open."), document("e", f"Row {SOLID}.")),
        )
    )
    one, other, apart = found.examples
    assert (one.answer, one.quote) == ("Call [phone].", "desk [phone]")
    assert other.prompt[-1].content == "What is [phone]?"
    assert [row.text for row in found.documents] == ["The desk [phone] is open.", f"Row {SOLID}."]
    assert SOLID in apart.prompt[-1].content


@pytest.mark.parametrize(
    ("quote", "left"),
    [
        (f"desk is {MAIL}", "desk is [email]"),
        ("The desk", "The desk"),
        ("adler@nordhafen", ""),  # cut out of what is gone
    ],
)
def test_a_quote_stands_in_its_document_or_is_none(quote: str, left: str) -> None:
    found = redacted(
        rows(
            question("one", "Why?", "Because.", evidence=("d",), quote=quote),
            documents=(document("d", f"The desk is {MAIL} now."),),
        )
    )
    assert found.examples[0].quote == left
    assert left in found.documents[0].text


def test_each_kind_is_treated_as_its_setting_says() -> None:
    found = rows(
        question("mail", f"Ask {MAIL}?", "No."),
        question("card", f"Is {CARD} yours?", "No."),
        question("none"),
    )
    verdict = redact_personal(found, cleaning(personal={"card": "drop", "email": "keep"}))
    assert verdict.rows.examples == (found.examples[0], found.examples[2])
    assert [(row.id, row.reason, row.detail) for row in verdict.dropped] == [("card", "personal", "card")]
    assert verdict.counts == {"personal": {}}


def test_what_a_company_calls_its_own_stays() -> None:
    found = rows(question("one", "Whom do I ask?", f"Ask help@acme.example, not {MAIL}."))
    assert (
        redacted(found, spared=["@acme.example"]).examples[0].answer == "Ask help@acme.example, not [email]."
    )


def test_spans_are_counted_by_kind_and_never_told() -> None:
    found = rows(
        question("one", f"Is {MAIL} or {MAIL} right?", f"The card is {CARD}."),
        documents=(document("d", f"Write to {MAIL}."),),
    )
    verdict = redact_personal(found, cleaning())
    assert verdict.counts == {"personal": {"email": 3, "card": 1}}
    dropped = redact_personal(found, cleaning(personal={"email": "drop"})).dropped
    assert all(MAIL not in repr(row) for row in dropped)


def test_metadata_and_addresses_are_texts_too() -> None:
    asked = replace(question("one", "Who wrote it?", f"{MAIL} did."), metadata={"by": MAIL, "year": "2031"})
    page = replace(
        document("d", "Of bread."), uri=f"file:{MAIL}/bread.md", metadata={"owner": f"Tel. {SOLID}"}
    )
    verdict = redact_personal(rows(asked, documents=(page,)), cleaning())
    assert verdict.rows.examples[0].metadata == {"by": "[email]", "year": "2031"}
    [page] = verdict.rows.documents
    assert (page.uri, page.metadata) == ("file:[email]/bread.md", {"owner": "Tel. [phone]"})
    assert verdict.counts == {"personal": {"email": 3, "phone": 1}}


def test_a_name_that_tells_of_somebody_is_another_one_wherever_it_stands() -> None:
    page = document(f"{MAIL}/7", "Of bread.")
    asked = question("one", "What is it of?", "Of bread.", evidence=(page.id,), group=MAIL)
    hides = replace(question(f"x:{MAIL}", "And this?", ABSTENTION, group=MAIL), withheld=(page.id,))
    verdict = redact_personal(rows(asked, hides, documents=(page,)), cleaning())
    one, other = verdict.rows.examples
    [there] = verdict.rows.documents
    assert (one.id, other.id) == ("one", hidden(hides.id))
    assert one.evidence == other.withheld == (there.id,) == (hidden(page.id),)
    assert one.group == other.group == hidden(MAIL)
    assert MAIL not in repr(verdict)
    assert verdict.counts == {
        "personal": {"email": 3},
        "renamed": {"example": 1, "document": 1},
    }  # one is the uri
    again = redact_personal(verdict.rows, cleaning())
    assert (again.rows, again.counts) == (verdict.rows, {"personal": {}})


def test_a_row_that_goes_for_its_name_is_told_by_another_one() -> None:
    [lost] = redact_personal(rows(question(MAIL)), cleaning(personal={"email": "drop"})).dropped
    assert (lost.id, lost.reason, lost.detail) == (hidden(MAIL), "personal", "email")


@pytest.mark.parametrize(
    "name", ["4000000000000002", "de89370400440532", "sources/faq.jsonl:17", "py:a.b@2.4.6"]
)
def test_names_that_are_made_here_stay(name: str) -> None:
    assert redacted(rows(question(name, group=name))).examples[0].id == name


def test_rows_without_any_stay_the_same_objects() -> None:
    found = rows(question("one"), pairs=(pair("two"),), documents=(document("three"),))
    left = redacted(found)
    assert left == found
    assert left.documents[0] is found.documents[0]


def test_a_region_that_is_none_is_refused() -> None:
    with pytest.raises(SettingsError, match="UK is no region"):
        redacted(rows(question("one")), phone_regions=["GB", "UK"])

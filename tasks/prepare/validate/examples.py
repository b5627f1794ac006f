"""What examples are expected to be."""

from typing import TYPE_CHECKING, Any

from deploy.abstention import ABSTENTION, abstains
from tasks.prepare.settings import ValidateSettings
from tasks.prepare.validate.expect import expect, identified, known, short_answers, stands, true
from tasks.rows.records import Rows

if TYPE_CHECKING:
    import pandas as pd

ROLES = r"^s?(?:ua)+$"  # an optional system turn, then user and assistant in turn, the assistant last


def frame(rows: Rows) -> "pd.DataFrame":
    """One line an example: its id and what is judged, but none of its text, which may be personal."""
    import pandas as pd

    documents = {document.id: document for document in rows.documents}
    kinds = {
        "id": "str",
        "named": "bool",
        "grouped": "bool",
        "roles": "str",
        "spoken": "bool",
        "answer_words": "int64",
        "unanswerable": "bool",
        "answers": "bool",
        "abstains": "bool",
        "evidence_known": "bool",
        "quote_stands": "bool",
        "withheld_known": "bool",
    }
    lines = [
        (
            row.id,
            bool(row.id.strip()),
            bool(row.group.strip()),
            "".join(message.role[0] for message in row.messages),
            bool(row.messages) and all(message.content.strip() for message in row.messages),
            len(row.answer.split()) if row.messages else 0,
            not row.answerable,
            not (row.answerable and row.messages and row.answer.strip() == ABSTENTION),
            row.answerable or bool(row.messages and abstains(row.answer)),
            known(row.evidence, documents),
            stands(row.quote, row.evidence, documents),
            known(row.withheld, documents),
        )
        for row in rows.examples
    ]
    return pd.DataFrame(lines, columns=list(kinds)).astype(kinds)


def expectations(settings: ValidateSettings) -> list[Any]:
    """The suite of examples."""
    low, high = settings.unanswerable_between
    return [
        *identified("example", least=settings.min_examples),
        true("grouped", "Each example has a group, so that it can be kept in one split."),
        expect(
            "ColumnValuesToMatchRegex",
            "roles",
            "Turns alternate between user and assistant, and the assistant speaks last.",
            column="roles",
            regex=ROLES,
        ),
        true("spoken", "No turn is empty."),
        short_answers(settings.max_answer_words),
        true("answers", "Who can answer does not answer that the documentation does not say."),
        true("abstains", "What cannot be answered is answered by saying so."),
        true("evidence_known", "The evidence is among the documents."),
        true("quote_stands", "The quote stands in a document of the evidence."),
        true("withheld_known", "What is withheld is among the documents."),
        expect(
            "ColumnMeanToBeBetween",
            "unanswerable_share",
            f"Between {low:g} and {high:g} of the questions cannot be answered.",
            severity="warning",
            key="validate.unanswerable_between",
            column="unanswerable",
            min_value=low,
            max_value=high,
        ),
    ]

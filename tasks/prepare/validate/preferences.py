"""What preferences are expected to be."""

from typing import TYPE_CHECKING, Any, get_args

from tasks.prepare.settings import ValidateSettings
from tasks.prepare.validate.expect import expect, identified, known, short_answers, stands, true
from tasks.rows.records import LabelKind, Rows

if TYPE_CHECKING:
    import pandas as pd

ROLES = r"^s?(?:ua)*u$"  # the prompt ends with the question


def frame(rows: Rows) -> "pd.DataFrame":
    """One line a preference: its id and what is judged, but none of its text, which may be personal."""
    import pandas as pd

    documents = {document.id: document for document in rows.documents}
    kinds = {
        "id": "str",
        "named": "bool",
        "grouped": "bool",
        "roles": "str",
        "spoken": "bool",
        "differs": "bool",
        "answer_words": "int64",
        "margin": "float64",
        "label": "str",
        "evidence_known": "bool",
        "quote_stands": "bool",
    }
    lines = [
        (
            row.id,
            bool(row.id.strip()),
            bool(row.group.strip()),
            "".join(message.role[0] for message in row.prompt),
            all(text.strip() for text in (row.chosen, row.rejected, *(turn.content for turn in row.prompt))),
            row.chosen.split() != row.rejected.split(),
            max(len(row.chosen.split()), len(row.rejected.split())),
            row.margin,
            row.label,
            known(row.evidence, documents),
            stands(row.quote, row.evidence, documents),
        )
        for row in rows.preferences
    ]
    return pd.DataFrame(lines, columns=list(kinds)).astype(kinds)


def expectations(settings: ValidateSettings) -> list[Any]:
    """The suite of preferences."""
    return [
        *identified("preference", least=settings.min_preferences),
        true("grouped", "Each preference has a group, so that it can be kept in one split."),
        expect(
            "ColumnValuesToMatchRegex",
            "roles",
            "The prompt's turns alternate, and the user speaks last.",
            column="roles",
            regex=ROLES,
        ),
        true("spoken", "Neither answer is empty, nor a turn of the prompt."),
        true("differs", "The chosen answer is not the rejected one."),
        short_answers(settings.max_answer_words),
        expect("ColumnValuesToBeBetween", "margin", "No margin is negative.", column="margin", min_value=0),
        expect("ColumnValuesToNotBeNull", "margin_known", "Each margin is a number.", column="margin"),
        expect(
            "ColumnValuesToBeInSet",
            "label",
            "It is said whether a person or a rule has judged.",
            column="label",
            value_set=list(get_args(LabelKind)),
        ),
        true("evidence_known", "The evidence is among the documents."),
        true("quote_stands", "The quote stands in a document of the evidence."),
    ]

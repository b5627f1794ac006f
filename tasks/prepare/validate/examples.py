"""What examples are expected to be."""

from typing import Any

from deploy.abstention import ABSTENTION, abstains
from tasks.prepare.validate.expect import Columns, expect, identified, short_answers, true
from tasks.prepare.validate_settings import ValidateSettings

ROLES = r"^s?(?:ua)+$"  # an optional system turn, then user and assistant in turn, the assistant last
COLUMNS: Columns = {
    "id": None,
    "id_apart": None,
    "named": ("bool", lambda row: bool(row.id.strip())),
    "grouped": ("bool", lambda row: bool(row.group.strip())),
    "roles": ("str", lambda row: "".join([turn.role[0] for turn in row.messages])),
    "spoken": (
        "bool",
        lambda row: bool(row.messages) and all(turn.content.strip() for turn in row.messages),
    ),
    "answer_words": ("int32", lambda row: len(row.answer.split()) if row.messages else 0),
    "unanswerable": ("bool", lambda row: not row.answerable),
    "answers": (
        "bool",
        lambda row: not (row.answerable and row.messages and row.answer.strip() == ABSTENTION),
    ),
    "abstains": ("bool", lambda row: row.answerable or bool(row.messages and abstains(row.answer))),
    "evidence_known": None,
    "quote_stands": None,
    "evidence_open": ("bool", lambda row: not row.withheld or set(row.withheld).isdisjoint(row.evidence)),
    "withheld_known": None,
    "group_share": None,
}


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
        true("evidence_open", "No document is both evidence and withheld."),
        expect(
            "ColumnMaxToBeBetween",
            "group_share",
            f"No group has more than {settings.max_group_share:g} of the examples: it stands in one split.",
            severity="warning",
            key="validate.max_group_share",
            column="group_share",
            max_value=settings.max_group_share,
        ),
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

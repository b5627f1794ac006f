"""What preferences are expected to be."""

from typing import Any, get_args

from tasks.prepare.validate.expect import Columns, expect, identified, short_answers, true
from tasks.prepare.validate_settings import ValidateSettings
from tasks.rows.records import LabelKind

ROLES = r"^s?(?:ua)*u$"  # the prompt ends with the question
COLUMNS: Columns = {
    "id": None,
    "id_apart": None,
    "named": ("bool", lambda row: bool(row.id.strip())),
    "grouped": ("bool", lambda row: bool(row.group.strip())),
    "roles": ("str", lambda row: "".join([turn.role[0] for turn in row.prompt])),
    "spoken": (
        "bool",
        lambda row: all(
            text.strip() for text in (row.chosen, row.rejected, *(turn.content for turn in row.prompt))
        ),
    ),
    "differs": ("bool", lambda row: row.chosen.split() != row.rejected.split()),
    "answer_words": ("int32", lambda row: max(len(row.chosen.split()), len(row.rejected.split()))),
    "margin": ("float64", lambda row: row.margin),
    "label": ("str", lambda row: row.label),
    "evidence_known": None,
    "quote_stands": None,
    "withheld_known": None,
    "evidence_open": ("bool", lambda row: not row.withheld or set(row.withheld).isdisjoint(row.evidence)),
    "agrees": None,
}


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
        true("withheld_known", "What is withheld is among the documents."),
        true("evidence_open", "No document is both evidence and withheld."),
        true("agrees", "No example gives the rejected answer as the good one to the same prompt."),
    ]

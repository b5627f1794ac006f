"""What a row asks and teaches: the texts that signals measure and that filters of degenerate text judge.

The rejected answer of a preference is not among them: it may be as bad as it likes, that is what it is for.
"""

from tasks.rows.records import Document, Example, Preference, Row


def taught(row: Row) -> str:
    """The good answer of a row, or the text of a document."""
    match row:
        case Example():
            return row.answer
        case Preference():
            return row.chosen
        case Document():
            return row.text


def asked_alone(row: Row) -> str | None:
    """The question of a row that asks a single one; None for a document, and in a longer conversation."""
    if isinstance(row, Document):
        return None
    questions = [turn.content for turn in row.prompt if turn.role == "user"]
    return questions[0] if len(questions) == 1 else None

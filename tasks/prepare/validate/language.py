"""Which languages rows are written in, as cells that are compared from run to run.

Apart from the other features, for the model is quick where it is shown many texts at once.
"""

from collections.abc import Sequence
from typing import Any

from deploy.abstention import abstains
from tasks.prepare.languages.spoken import guesser, spoken
from tasks.prepare.validate.features import READ, Cells, answer_of, asked_of
from tasks.rows.records import Document

LETTERS = 20  # of a line of text, below which it says too little
SURE = 0.6  # chance of a language from which on a text counts as written in it
UNKNOWN = "unknown"  # too short, code, or not sure


def languages(rows: Sequence[Any]) -> list[Cells]:
    """For each row the languages that its texts are surely in: a document's, or the question and the answer.

    An abstention is no text of the row's: its words are the same in every language.
    """
    texts = [_texts(row) for row in rows]
    distinct = list(dict.fromkeys(text for some in texts for text in some))  # texts come in many rows
    said = spoken(distinct, guesser(), min_letters=LETTERS)
    sure = {
        text: found.language
        for text, found in zip(distinct, said, strict=True)
        if found and found.score >= SURE
    }
    return [_cells([sure[text] for text in some if text in sure]) for some in texts]


def _texts(row: Any) -> list[str]:
    if isinstance(row, Document):
        return [row.text[:READ]]
    answer = answer_of(row)
    return [asked_of(row)[:READ], *([] if abstains(answer) else [answer[:READ]])]


def _cells(found: Sequence[str]) -> Cells:
    return {name: found.count(name) / len(found) for name in sorted(set(found))} if found else {UNKNOWN: 1.0}

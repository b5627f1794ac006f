"""Rows and their counts for tests, which name only what they are about."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from deploy.abstention import ABSTENTION
from deploy.messages import Message
from tasks.rows.records import Document, Example, Learned, Preference, Rows
from tasks.rows.reports import RowCount

ASKED = "In `svm.SVC`, what is the default of `C`?"


def question(name: str, asked: str = "Why?", answer: str = "Because.", **changed: Any) -> Example:
    """An answerable example in a group of its own, without evidence; `changed` are other fields of it."""
    row = Example.plain(name, asked, answer, source="test", task="chat", group=name)
    return replace(row, **changed)


def default_asked(name: str, asked: str = ASKED, *, document: str | None, **changed: Any) -> Example:
    """An example about a default value, which stands in `document`; without one there is no answer to it."""
    if document is None:
        return question(name, asked, ABSTENTION, **{"task": "absent", "answerable": False, **changed})
    known = {"task": "default", "evidence": (document,), "quote": "C=1.0 :"}
    return question(name, asked, "`1.0`", **{**known, **changed})


def pair(name: str, chosen: str = "`1.0`", rejected: str = "`2.0`", **changed: Any) -> Preference:
    """A synthetic preference in a group of its own, without evidence; `changed` are other fields of it."""
    row = Preference(
        id=name,
        source="test",
        task="default",
        prompt=(Message("user", ASKED),),
        chosen=chosen,
        rejected=rejected,
        margin=0.0,
        label="synthetic",
        flaw="wrong_value",
        evidence=(),
        quote="",
        withheld=(),
        group=name,
    )
    return replace(row, **changed)


def document(name: str, text: str = "Text.", **changed: Any) -> Document:
    """A document without a title of its own; `changed` are other fields of it."""
    row = Document(id=name, source="test", uri=f"py:{name}", title="t", text=text, metadata={}, sha256="")
    return replace(row, **changed)


def rows(*examples: Example, pairs: Sequence[Preference] = (), documents: Sequence[Document] = ()) -> Rows:
    """Rows of all kinds as one set."""
    return Rows(examples=examples, preferences=tuple(pairs), documents=tuple(documents))


def counted(kind: str = "example", reason: str = "", **counts: int) -> list[RowCount]:
    """How many rows met each outcome; `entered` stands for `in`, and `reason` goes with what is left out."""
    return [
        RowCount(
            kind=kind,
            outcome="in" if outcome == "entered" else outcome,  # type: ignore[arg-type]
            count=count,
            reason=reason if outcome in {"dropped", "quarantined", "unused"} else "",
        )
        for outcome, count in counts.items()
    ]


def outcomes(rows: Sequence[RowCount]) -> dict[tuple[str, str], int]:
    """How many rows met each outcome for each reason."""
    return {(row.outcome, row.reason): row.count for row in rows}


def learned(name: str, source: str, *, taught: bool) -> Learned:
    """What fine-tuning has learned from an example as it is: 7 tokens, or nothing."""
    return Learned(
        id=name,
        kind="example",
        source=source,
        form="itself",
        times=int(taught),
        tokens=7 * taught,
        reason="" if taught else "over sft.max_rows",
    )

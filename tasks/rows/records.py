"""The rows of the chain and their Parquet schemas.

Three kinds of rows walk through the house: examples (questions with good answers), preferences
(opinions about answers) and documents (facts). `Dropped` is what becomes of a row that does not.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from deploy.messages import Message

LabelKind = Literal["human", "synthetic", "checked", "judge"]
RowKind = Literal["example", "preference", "document"]
ASKED: tuple[RowKind, ...] = ("example", "preference")  # they may name documents as evidence
# In which forms fine-tuning learns from a row: as it is, with its evidence hidden, asked over the sources of
# another, among the general ones, or as part of raw text. Of an example judged answers may teach that were
# sampled to it.
LearnedForm = Literal["itself", "counterfactual", "companion", "general", "text", "sampled"]
GENERAL_TASK = "general"  # of rows that are replayed beside the task, and never asked in evaluation
BY_MODEL = "written by the base model"  # the source of general rows that no source has
FOR_VALIDATION = "validation"  # `held_out` of rows for validation alone


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A text that answers may be found in.

    `uri` says where it comes from (`py:numpy.linalg.norm@2.4.6`, `file:docs/a.md`), `sha256` is that
    of the text. Where it is served, only who holds one of its `tags` finds it; everybody where it has none.
    """

    id: str
    source: str
    uri: str
    title: str
    text: str
    metadata: dict[str, str]
    sha256: str
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """A conversation whose last turn is a good answer of the assistant.

    `task` is the kind of question (`default`, `purpose`, `lookup`, `absent`, `chat`...); rows of `general`
    are none of the task's, they are for replay (`sft.replay`). `evidence` holds ids of the documents that
    answer it, `quote` a string that stands literally in the chunk that does (empty: any chunk of the
    evidence). `withheld` documents are hidden from retrieval for this question: what they say cannot be
    known, so the good answer is to abstain. `answerable` is False where it is. Rows of one `group` never
    stand in two splits. `held_out` is empty, or says under which name the ledger scores the row apart: it is
    then asked in the test alone (`validation`: in validation alone) and never trained on. `takes_all` is True
    where no single document of `evidence` answers, but all of them together. `metadata` has the columns of
    its source that are kept by name (a date, a region, who wrote it); no model sees them.
    """

    id: str
    source: str
    task: str
    messages: tuple[Message, ...]
    evidence: tuple[str, ...]
    quote: str
    withheld: tuple[str, ...]
    answerable: bool
    group: str
    held_out: str = ""
    takes_all: bool = False
    metadata: dict[str, str] = field(default_factory=dict, hash=False)

    @classmethod
    def plain(cls, name: str, question: str, answer: str, *, source: str, task: str, group: str) -> "Example":
        """A question with an answer that rests on no document."""
        return cls(
            id=name,
            source=source,
            task=task,
            messages=(Message("user", question), Message("assistant", answer)),
            evidence=(),
            quote="",
            withheld=(),
            answerable=True,
            group=group,
        )

    @property
    def prompt(self) -> tuple[Message, ...]:
        """The turns before the answer."""
        return self.messages[:-1]

    @property
    def answer(self) -> str:
        """The good answer."""
        return self.messages[-1].content


@dataclass(frozen=True, slots=True, kw_only=True)
class Preference:
    """Two answers to one prompt, and which is better.

    `margin` says by how much, in the units of its source (0: not known). `label` says who judged: people
    (`human`), a rule that made the pair (`synthetic`), the task's score (`checked`) or a model (`judge`).
    `flaw` names what is wrong with the rejected answer where that is known (`wrong_value`,
    `false_abstention`, `invented`...), else it is empty.
    The other fields are those of `Example`.
    """

    id: str
    source: str
    task: str
    prompt: tuple[Message, ...]
    chosen: str
    rejected: str
    margin: float
    label: LabelKind
    flaw: str
    evidence: tuple[str, ...]
    quote: str
    withheld: tuple[str, ...]
    group: str
    held_out: str = ""
    takes_all: bool = False
    metadata: dict[str, str] = field(default_factory=dict, hash=False)

    @classmethod
    def between(
        cls,
        example: Example,
        chosen: str,
        rejected: str,
        *,
        name: str,
        source: str,
        label: LabelKind,
        flaw: str,
        margin: float = 0.0,
    ) -> "Preference":
        """Two answers to the question of an example, of which `chosen` is the better."""
        return cls(
            id=name,
            source=source,
            task=example.task,
            prompt=example.prompt,
            chosen=chosen,
            rejected=rejected,
            margin=margin,
            label=label,
            flaw=flaw,
            evidence=example.evidence,
            quote=example.quote,
            withheld=example.withheld,
            group=example.group,
            held_out=example.held_out,
            takes_all=example.takes_all,
            metadata=example.metadata,
        )

    def better(self, name: str) -> Example:
        """The better answer as that of an example called `name`."""
        return Example(
            id=name,
            source=self.source,
            task=self.task,
            messages=(*self.prompt, Message("assistant", self.chosen)),
            evidence=self.evidence,
            quote=self.quote,
            withheld=self.withheld,
            answerable=True,
            group=self.group,
            held_out=self.held_out,
            takes_all=self.takes_all,
            metadata=self.metadata,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Dropped:
    """A row that went no further: which, where, and why. `detail` never holds the row's text."""

    id: str
    kind: RowKind
    source: str
    stage: str
    reason: str
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluationItem:
    """What an evaluation set asks; its id is `FILE:LINE`. It is no row: rows are searched for it."""

    id: str
    source: str
    prompt: tuple[Message, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Learned:
    """What a model has learned from a row in one of its forms: how often, and from how many tokens.

    `tokens` are those that count in the loss, over all `times`; where whole answers are judged (the reward
    model, RLHF) there are none. Where fine-tuning has not learned from a row, `reason` says why; the others
    have lines of those rows alone that they have learned from.
    """

    id: str
    kind: RowKind
    source: str
    form: LearnedForm
    times: int
    tokens: int
    reason: str


Row = Document | Example | Preference
Record = Row | Dropped | EvaluationItem | Learned


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """All rows at one place of the chain."""

    examples: tuple[Example, ...]
    preferences: tuple[Preference, ...]
    documents: tuple[Document, ...]

    @classmethod
    def of(cls, rows: Iterable[Row]) -> "Rows":
        """The rows sorted by kind, in their order."""
        rows = tuple(rows)
        return cls(
            examples=tuple(row for row in rows if isinstance(row, Example)),
            preferences=tuple(row for row in rows if isinstance(row, Preference)),
            documents=tuple(row for row in rows if isinstance(row, Document)),
        )

    @property
    def asked(self) -> "tuple[Example | Preference, ...]":
        """The examples and the preferences: what has a prompt and a group."""
        return (*self.examples, *self.preferences)

    def by_kind(self) -> dict[RowKind, tuple[Row, ...]]:
        """The rows of each kind."""
        return {"example": self.examples, "preference": self.preferences, "document": self.documents}

    def all(self) -> tuple[Row, ...]:
        """The rows of all kinds."""
        return (*self.examples, *self.preferences, *self.documents)

"""What is asked about a fact, and the good answer to it.

A question is of a kind where a document answers it. Else it is `absent` (it asks for a parameter that belongs
to another callable) or `withheld` (it could be answered, but its document is hidden): then the good answer is
to abstain. The wording of the two sorts is the same, so it gives nothing away.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, get_args

from deploy.abstention import ABSTENTION
from deploy.messages import Message
from tasks.prepare.collect.documentation.callables import PublicCallable
from tasks.prepare.collect.documentation.facts import Fact, FactKind
from tasks.prepare.collect.documentation.wording.names import last_parts
from tasks.prepare.collect.identifiers import identifier
from tasks.rows.records import Example

QuestionKind = Literal["default", "confirm", "exists", "purpose", "none", "lookup", "compare", "which"]
KINDS: tuple[QuestionKind, ...] = get_args(QuestionKind)
Standing = Literal["answerable", "absent", "withheld"]
Link = Literal["other parameter", "same parameter", "found"]
# The facts that a question of each kind is about.
ABOUT: Mapping[QuestionKind, FactKind] = {
    "default": "default",
    "confirm": "default",
    "exists": "purpose",
    "purpose": "purpose",
    "none": "none",
    "lookup": "lookup",
    "compare": "default",
    "which": "purpose",
}
# Of these a callable can be asked for a parameter that it lacks.
CAN_BE_ABSENT: tuple[QuestionKind, ...] = ("default", "confirm", "exists", "purpose", "none")
# A summary is not withheld: others may fit it as well.
CAN_BE_WITHHELD: tuple[QuestionKind, ...] = tuple(kind for kind in KINDS if kind != "lookup")


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A question for what a fact says.

    An `absent` question has the fact of another callable under its own owner: its value would be a plausible
    invention. `beside` is the second fact of a comparison, `others` are the callables that a `which` names
    besides the right one, `stated` is the value that a `confirm` asks about. `before` is the question of the
    turn before, where this one needs it, and `link` says for what.
    """

    kind: QuestionKind
    fact: Fact
    standing: Standing = "answerable"
    beside: Fact | None = None
    others: tuple[PublicCallable, ...] = ()
    stated: str = ""
    before: "Question | None" = None
    link: Link | None = None

    @property
    def task(self) -> str:
        """The task of its row: its kind, or why it has no answer."""
        return self.kind if self.standing == "answerable" else self.standing

    @property
    def key(self) -> str:
        """What makes the question the same, however it is worded."""
        return f"{self.fact.owner.name}|{self.fact.parameter}|{self.kind}"

    @property
    def facts(self) -> tuple[Fact, ...]:
        """The facts that it takes to answer it."""
        return (self.fact,) if self.beside is None else (self.fact, self.beside)

    @property
    def says(self) -> str:
        """The answer that its facts make: code in backticks, prose as it is.

        A verdict comes last: it is read off the values before it. A small model that has to begin with it
        guesses. And "no" would be wrong where it is asked whether two defaults differ.
        """
        fact = self.fact
        match self.kind:
            case "lookup" | "which":
                return f"`{fact.owner.name}`"
            case "default":
                return f"`{fact.value}`"
            case "exists":
                return f"Yes, it has `{fact.parameter}`."
            case "confirm":
                return f"It is `{fact.value}`, so {'yes' if self.stated == fact.value else 'no'}."
            case "compare":
                return self._compared()
            case _:
                return fact.value

    @property
    def answer(self) -> str:
        """The good answer."""
        return self.says if self.standing == "answerable" else ABSTENTION

    def _compared(self) -> str:
        assert self.beside is not None
        one, other = self.fact, self.beside
        short = last_parts((one.owner.name, other.owner.name))
        first, second = (f"`{fact.value}` in {short[fact.owner.name]}" for fact in (one, other))
        return f"It is {first} and {second}: {'the same' if one.value == other.value else 'they differ'}."


def as_example(
    question: Question,
    prompt: Sequence[Message],
    *,
    held_out: str,
    documents: Mapping[str, str],
    groups: Mapping[str, str],
) -> Example:
    """The example that a question makes; `documents` and `groups` are by the name of the callable."""
    answerable = question.standing == "answerable"
    evidence = tuple(documents[fact.owner.name] for fact in question.facts)
    # What a comparison withholds is one of its two sides: half of the evidence is not enough.
    withheld = evidence[-1:] if question.standing == "withheld" else ()
    asked = [turn.content for turn in prompt]
    return Example(
        id=identifier("packages", question.task, *asked, question.answer, *withheld),
        source="packages",
        task=question.task,
        messages=(*prompt, Message("assistant", question.answer)),
        evidence=evidence if answerable else (),
        quote=_quote(question) if answerable else "",
        withheld=withheld,
        answerable=answerable,
        group=groups[question.fact.owner.name],
        held_out=held_out,
        takes_all=len(evidence) > 1,
    )


def without_link(question: Question) -> Question:
    """The question as it is asked alone."""
    return replace(question, before=None, link=None)


def _quote(question: Question) -> str:
    if question.beside is None:
        return question.fact.quote
    return f"\n{question.fact.parameter}="  # the start of either definition, whatever the value

"""Questions about facts, worded in several ways, as examples with their evidence.

A question is `default`, `purpose` or `lookup` where a document answers it. Else it is `absent` (it asks for a
parameter that belongs to another callable) or `withheld` (it could be answered, but its document is hidden):
then the good answer is to abstain. The wording of the two sorts is the same, so it gives nothing away.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from deploy.abstention import ABSTENTION
from deploy.messages import Message
from tasks.prepare.collect.documentation.facts import Fact, FactKind
from tasks.prepare.collect.identifiers import identifier, rank
from tasks.rows.records import Example

Task = Literal["default", "purpose", "lookup", "absent", "withheld"]
ANSWERABLE: frozenset[Task] = frozenset({"default", "purpose", "lookup"})
WORDINGS: dict[FactKind, tuple[str, ...]] = {
    "default": (
        "In `{name}`, what is the default of `{parameter}`?",
        "What is the default value of `{parameter}` in `{name}`?",
        "What does `{parameter}` default to in `{name}`?",
        "Which value does `{name}` use when `{parameter}` is not given?",
        "If I call `{name}` without `{parameter}`, what is it set to?",
    ),
    "purpose": (
        "What does the parameter `{parameter}` of `{name}` do?",
        "In `{name}`, what is `{parameter}`?",
        "What is `{parameter}` for in `{name}`?",
        "What should I know about the argument `{parameter}` of `{name}`?",
    ),
    "lookup": (
        "Which {kind} of {package} is described like this: {value}",
        'What is the name of the {kind} in {package} with this description? "{value}"',
        "I am looking for a {kind} of {package}. Its summary reads: {value} What is it called?",
        "{value} Which {kind} of {package} is that?",
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A question for what a fact says.

    An `absent` question has the fact of another callable under its own owner: its value would be a plausible
    invention.
    """

    task: Task
    fact: Fact

    @property
    def key(self) -> str:
        """What makes the question the same, however it is worded."""
        return f"{self.fact.owner.name}|{self.fact.parameter}|{self.fact.kind}"

    @property
    def says(self) -> str:
        """The answer that its value makes: code in backticks, prose as it is."""
        if self.fact.kind == "lookup":
            return f"`{self.fact.owner.name}`"
        return f"`{self.fact.value}`" if self.fact.kind == "default" else self.fact.value

    @property
    def answer(self) -> str:
        """The good answer."""
        return self.says if self.task in ANSWERABLE else ABSTENTION


def worded(question: Question, distribution: str, seed: int) -> str:
    """The text of a question; which wording is chosen follows from the seed and the question."""
    wordings = WORDINGS[question.fact.kind]
    return wordings[rank(seed, "wording", question.key) % len(wordings)].format(
        name=question.fact.owner.name,
        parameter=question.fact.parameter,
        kind=question.fact.owner.kind,
        package=distribution,
        value=question.fact.value
        if question.fact.value.endswith((".", "!", "?"))
        else f"{question.fact.value}.",
    )


def as_example(
    question: Question, text: str, *, documents: Mapping[str, str], groups: Mapping[str, str]
) -> Example:
    """The example that a question makes; `documents` and `groups` are by the name of the callable."""
    answerable = question.task in ANSWERABLE
    document = documents[question.fact.owner.name]
    messages = (Message("user", text), Message("assistant", question.answer))
    withheld = (document,) if question.task == "withheld" else ()
    return Example(
        id=identifier("packages", question.task, text, question.answer, *withheld),
        source="packages",
        task=question.task,
        messages=messages,
        evidence=(document,) if answerable else (),
        quote=question.fact.quote if answerable else "",
        withheld=withheld,
        answerable=answerable,
        group=groups[question.fact.owner.name],
    )
